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
	// How often the SDK tries a call that is throttled, answered with 5xx or broken off, and how
	// long it waits between two tries at most.
	maxAttempts = 8
	maxBackoff  = 5 * time.Second

	// SQS answers a long poll up to queue.MaxWait after the request.
	answerTimeout = queue.MaxWait + 10*time.Second
	// How long it may pause in the middle of an answer, too.
	stallTimeout = answerTimeout + 5*time.Second
)

// NewClient is a client with maxConns connections kept alive. Give it as many as there are calls at
// a time, long polls included.
//
// It keeps what cfg says of certificates (AWS_CA_BUNDLE), and a cfg.HTTPClient of another kind than
// the SDK's own as it is.
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
