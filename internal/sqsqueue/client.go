package sqsqueue

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/angel-nft/google-shuffle/internal/awsclient"
	"github.com/angel-nft/google-shuffle/internal/queue"
)

const (
	// These limit the SDK's tries of a call that is throttled, fails with 5xx or breaks off, and
	// the wait between two tries.
	maxAttempts = 8
	maxBackoff  = 5 * time.Second

	// SQS may answer a long poll only queue.MaxWait after the request.
	answerTimeout = queue.MaxWait + 10*time.Second
	// This is also how long an answer may pause.
	stallTimeout = answerTimeout + 5*time.Second
)

// NewClient returns a client that keeps maxConns connections alive. There should be one for each
// parallel call, including long polls.
//
// It keeps the certificates in cfg (AWS_CA_BUNDLE). It does not change a cfg.HTTPClient that is not
// of the SDK's type.
func NewClient(cfg aws.Config, maxConns int) *sqs.Client {
	pool := awsclient.Pool{Connections: maxConns, AnswerTimeout: answerTimeout, StallTimeout: stallTimeout}
	return sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts = maxAttempts
			r.MaxBackoff = maxBackoff
		})
		o.HTTPClient = pool.HTTPClient(cfg.HTTPClient)
	})
}
