package awsclient

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// SigningClient sends requests signed with Signature Version 4. It uses public parts of an SDK
// client, and is safe for concurrent use.
type SigningClient struct {
	HTTP        aws.HTTPClient
	Signer      v4.HTTPSigner
	Credentials aws.CredentialsProvider // nil: requests are not signed
	Service     string                  // its name in the signature: "s3"
	Region      string

	skew atomic.Int64 // nanoseconds by which the service's clock is ahead
}

// emptyHash is the SHA-256 of an empty body.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Do signs a request without a body and sends it once. The caller closes the answer's body.
func (c *SigningClient) Do(r *http.Request) (*http.Response, error) {
	r.Header.Set("X-Amz-Content-Sha256", emptyHash)
	if c.Credentials != nil {
		credentials, err := c.Credentials.Retrieve(r.Context())
		if err != nil {
			return nil, fmt.Errorf("get credentials: %w", err)
		}
		now := time.Now().Add(time.Duration(c.skew.Load()))
		if err := c.Signer.SignHTTP(r.Context(), credentials, r, emptyHash, c.Service, c.Region, now); err != nil {
			return nil, fmt.Errorf("sign request: %w", err)
		}
	}
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return nil, &smithyhttp.RequestSendError{Err: err} // the retryer retries these
	}
	return answer, nil
}

// maxSkew is the largest difference of two clocks that is not corrected, as in the SDK. S3
// tolerates 15 minutes.
const maxSkew = 4 * time.Minute

// AdjustClock handles an answer that refuses the time of the request's signature. When the answer's
// Date differs from that time, later requests are signed with the service's time. Then AdjustClock
// returns an error that the SDK's retryers retry. Otherwise it returns refusal.
func (c *SigningClient) AdjustClock(r *http.Request, answer *http.Response, refusal error) error {
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return refusal
	}
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil || date.Sub(signed).Abs() <= maxSkew {
		return refusal
	}
	c.skew.Store(int64(time.Until(date)))
	return clockError{refusal}
}

// clockError is the refusal of a request that was signed with the time of a wrong clock.
type clockError struct{ error }

func (e clockError) Unwrap() error { return e.error }

// RetryableError makes the SDK's retryers retry.
func (clockError) RetryableError() bool { return true }
