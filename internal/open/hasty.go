package open

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// hasty does not retry where no connection comes about, as long as the service has never answered: its address is wrong, or nothing runs
// there. Retries would keep a person waiting for over a minute. A service that has answered once is retried as ever.
type hasty struct {
	aws.RetryerV2
	answered atomic.Bool
}

func (h *hasty) IsErrorRetryable(err error) bool {
	if !h.answered.Load() && neverConnects(err) {
		return false
	}
	return h.RetryerV2.IsErrorRetryable(err)
}

// GetAttemptToken is called before each attempt, and what it returns after it, with the attempt's error.
func (h *hasty) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	release, err := h.RetryerV2.GetAttemptToken(ctx)
	if err != nil {
		return nil, err
	}
	return func(err error) error {
		if err == nil || !neverConnects(err) && ctx.Err() == nil {
			h.answered.Store(true)
		}
		return release(err)
	}, nil
}

// neverConnects says that there was no connection that a request could be sent by: refused, not resolved, not trusted, or not of HTTP.
func neverConnects(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted || errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	for _, text := range []string{"invalid proxy address", "malformed HTTP response", "unsupported protocol scheme"} { // they have no type
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

func (o *Opener) retryer(own aws.Retryer) aws.Retryer {
	v2, ok := own.(aws.RetryerV2)
	if o.Patient || !ok {
		return own
	}
	return &hasty{RetryerV2: v2}
}

// hastyS3 is the client with the opener's patience.
func (o *Opener) hastyS3(client *s3.Client) *s3.Client {
	return s3.New(client.Options(), func(options *s3.Options) { options.Retryer = o.retryer(options.Retryer) })
}

// hastySQS is the client with the opener's patience.
func (o *Opener) hastySQS(client *sqs.Client) *sqs.Client {
	return sqs.New(client.Options(), func(options *sqs.Options) { options.Retryer = o.retryer(options.Retryer) })
}

var _ aws.RetryerV2 = (*retry.Standard)(nil) // which both adapters use
