package benchserver

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

// headerTimeout is for clients that connect and then say nothing.
const headerTimeout = time.Minute

// Options define how the server answers. The zero value answers at once and accepts any number of
// writes.
type Options struct {
	Write Latency `json:"write"` // of CopyObject, PutObject and deletes
	Read  Latency `json:"read"`  // of GetObject and HeadObject
	List  Latency `json:"list"`  // of a page
	Queue Latency `json:"queue"` // of a request to SQS, beside the wait of a long poll

	// WritesPerSecond is how many objects may be written a second. Further writes are refused with
	// 503 SlowDown. Each key of a DeleteObjects counts as one. 0 means no limit.
	WritesPerSecond int `json:"writes_per_second"`
}

// Latency is a log-normal distribution, as the answers of services tend to have: with a Spread of
// 0.35, one request in a hundred takes 2.3 times the median, one in a thousand 3 times.
type Latency struct {
	Median time.Duration `json:"median"` // nanoseconds in JSON
	Spread float64       `json:"spread"` // the standard deviation of the logarithm; 0: all alike
}

// pass waits. Its error is that of a context that ended.
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
