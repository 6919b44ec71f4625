package benchserver

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

// headerTimeout is the time limit for clients that connect and then send nothing.
const headerTimeout = time.Minute

// Options define latency and limit of the server. The zero value answers immediately and accepts
// any number of writes.
type Options struct {
	Write Latency `json:"write"` // of CopyObject, PutObject and deletes
	Read  Latency `json:"read"`  // of GetObject and HeadObject
	List  Latency `json:"list"`  // of a page
	Queue Latency `json:"queue"` // of a request to SQS, added to the wait of a long poll

	// WritesPerSecond is the number of objects that may be written per second. More writes are
	// refused with 503 SlowDown. Each key of a DeleteObjects counts as one. 0 means no limit.
	WritesPerSecond int `json:"writes_per_second"`
	// OwnETags gives every copy an ETag of its own, as S3 does in a bucket with a KMS key.
	OwnETags bool `json:"own_etags"`
}

// Latency is a log-normal distribution, which is typical of services. With a Spread of 0.35, one
// request in a hundred takes 2.3 times the median, one in a thousand 3 times.
type Latency struct {
	Median time.Duration `json:"median"` // nanoseconds in JSON
	Spread float64       `json:"spread"` // standard deviation of the logarithm; 0: constant
}

// pass waits for a random latency. It returns the error of ctx when ctx ends first.
func (l Latency) pass(ctx context.Context) error {
	if l.Median <= 0 {
		return ctx.Err()
	}
	d := l.Median
	if l.Spread > 0 {
		d = time.Duration(float64(d) * math.Exp(l.Spread*rand.NormFloat64()))
	}
	return sleep(ctx, d)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
