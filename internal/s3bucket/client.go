package s3bucket

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/angel-nft/google-shuffle/internal/awsclient"
)

// attempts is how often a LIST, GET, HEAD or PUT is made. With the SDK's waits (random, up to 1 s,
// then twice that and so on, at most 20 s) it outlasts half a minute of throttling on average.
const attempts = 8

// answerTimeout is how long S3 may take to begin its answer to one attempt, tens to hundreds of
// milliseconds as a rule. Without a limit a request whose answer never comes holds its process for
// ever.
const answerTimeout = 15 * time.Second

// stallTimeout is how long S3 may pause in the middle of an answer. It is longer than
// answerTimeout, which says more of what is wrong.
const stallTimeout = 20 * time.Second

// NewClient is a client for up to maxConns requests at a time. The SDK's own settings hold
// (endpoint, credentials, number of attempts, CA bundle), save for these:
//
//   - Every connection is kept for the next request. The SDK keeps ten a host and closes the
//     others.
//   - With another endpoint than Amazon's the bucket stands in the path, since a host name of its
//     own it rarely has there. (For a bucket name with dots the SDK does so by itself: no
//     certificate covers it.)
//   - An attempt whose answer does not begin within answerTimeout, or then pauses for stallTimeout,
//     is given up.
//   - A copy or delete is not sent after its context's deadline, to the letter.
//   - The SDK's checksums beyond the required ones are left out: not every store knows them. A
//     PutObject has an MD5 instead.
//   - A client of another kind in cfg.HTTPClient is taken as it is.
func NewClient(cfg aws.Config, maxConns int) *s3.Client {
	cfg.HTTPClient = pool(maxConns).HTTPClient(cfg.HTTPClient, fence)
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = o.UsePathStyle || o.BaseEndpoint != nil
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		o.DisableLogOutputChecksumValidationSkipped = true
		o.Retryer = newRetryer()
	})
}

// pool is for up to maxConns requests at a time.
func pool(maxConns int) awsclient.Pool {
	return awsclient.Pool{Connections: maxConns, AnswerTimeout: answerTimeout, StallTimeout: stallTimeout}
}

// newRetryer is the SDK's standard retryer without its quota: one throttled listing among many
// would use up the quota of all, and the number of requests at a time is bounded already.
func newRetryer() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.RateLimiter = ratelimit.None
		o.Retryables = append(o.Retryables,
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}},
			retry.IsErrorRetryableFunc(isCutShort))
	})
}

// isCutShort retries an answer that broke off: the SDK takes it for one that can't be read, and
// gives up.
func isCutShort(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}
