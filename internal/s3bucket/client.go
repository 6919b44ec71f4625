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

// attempts is the number of attempts of a LIST, GET, HEAD or PUT. With the SDK's waits (random, up
// to 1 s, doubling to at most 20 s) they last longer than half a minute on average.
const attempts = 8

// answerTimeout is how long S3 may take to begin its answer to one attempt. Usually it takes tens
// to hundreds of milliseconds. Without a limit a request without an answer would block its process
// for ever.
const answerTimeout = 15 * time.Second

// stallTimeout is how long S3 may pause in the middle of an answer. It is longer than
// answerTimeout, because the error of answerTimeout is clearer.
const stallTimeout = 20 * time.Second

// NewClient returns a client for up to maxConns parallel requests. It uses the SDK's own settings
// (endpoint, credentials, number of attempts, CA bundle), with these changes:
//
//   - Every connection is kept for the next request. The SDK keeps ten a host and closes the
//     others.
//   - With another endpoint than Amazon's the bucket is in the path, since a host name of its
//     own it rarely has there. (For a bucket name with dots the SDK does so by itself: no
//     certificate covers it.)
//   - An attempt ends when its answer does not begin within answerTimeout, or pauses for stallTimeout.
//   - A copy or delete is never sent after its context's deadline.
//   - The SDK's optional checksums are off, because not every store supports them. A PutObject has an MD5 instead.
//   - A client in cfg.HTTPClient that is not of the SDK's type is not changed.
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

// pool returns the settings for up to maxConns parallel requests.
func pool(maxConns int) awsclient.Pool {
	return awsclient.Pool{Connections: maxConns, AnswerTimeout: answerTimeout, StallTimeout: stallTimeout}
}

// newRetryer returns the SDK's standard retryer without its quota. One throttled listing among many
// would use up the quota of all, and the number of parallel requests is limited already.
func newRetryer() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.RateLimiter = ratelimit.None
		o.Retryables = append(o.Retryables,
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}},
			retry.IsErrorRetryableFunc(isCutShort))
	})
}

// isCutShort makes the SDK retry after an answer that broke off. The SDK itself treats it as
// unreadable and does not retry.
func isCutShort(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}
