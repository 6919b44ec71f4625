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

// hasty does not retry after a failed connection as long as the service has never answered. Then
// its address is wrong, or the service does not run, and retries would make a person wait for over
// a minute. After the first answer it retries as usual.
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

// GetAttemptToken is called before each attempt. The function that it returns is called after the
// attempt, with its error.
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

// neverConnects reports whether no usable connection was made: the host refuses, is not found, is
// not trusted, or does not speak HTTP.
func neverConnects(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted || errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	// These errors have no type.
	for _, text := range []string{"invalid proxy address", "malformed HTTP response", "unsupported protocol scheme"} {
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

// hastyS3 returns the client, with hasty retries unless the opener is patient.
func (o *Opener) hastyS3(client *s3.Client) *s3.Client {
	return s3.New(client.Options(), func(options *s3.Options) { options.Retryer = o.retryer(options.Retryer) })
}

// hastySQS returns the client, with hasty retries unless the opener is patient.
func (o *Opener) hastySQS(client *sqs.Client) *sqs.Client {
	return sqs.New(client.Options(), func(options *sqs.Options) { options.Retryer = o.retryer(options.Retryer) })
}

var _ aws.RetryerV2 = (*retry.Standard)(nil) // both adapters use it
