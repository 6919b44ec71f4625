package tracker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// awayQueue fails until a time.
type awayQueue struct {
	*memQueue
	err   error
	until time.Time
}

func (q *awayQueue) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	if time.Now().Before(q.until) {
		return nil, q.err
	}
	return q.memQueue.ReceiveMessage(ctx, most, wait)
}

type httpError int

func (e httpError) Error() string       { return fmt.Sprint("status ", int(e)) }
func (e httpError) HTTPStatusCode() int { return int(e) }

// A tracker waits for a service that is away, however long; a right that is missing ends it after a
// while, with what to do.
func TestAway(t *testing.T) {
	for _, tc := range []struct {
		err   error
		waits bool
	}{
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, true},
		{fmt.Errorf("receive: %w", context.DeadlineExceeded), true},
		{httpError(503), true},
		{&bucket.Error{Op: "GetObject", Code: bucket.CodeTransport, Err: errors.New("cut off")}, true},
		{&bucket.Error{Op: "GetObject", Code: bucket.CodeInternal, Status: 500, Err: errors.New("500")}, true},
		{httpError(403), false},
		{&bucket.Error{Op: "GetObject", Code: bucket.CodeAccessDenied, Status: 403, Err: errors.New("403")}, false},
		{errors.New("the state is damaged"), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.published(runName(7), 7, 5)
			w.work(nil)
			tr := w.tracker()
			tr.Results = &awayQueue{memQueue: w.results, err: tc.err, until: time.Now().Add(2 * time.Hour)}
			s, err := tr.Run(t.Context())
			if waited := err == nil && s.State == state.Succeeded; waited != tc.waits {
				t.Errorf("%v: %v, %+v", tc.err, err, s)
			}
			if !tc.waits && !strings.Contains(err.Error(), "shuffle doctor") {
				t.Errorf("%v", err)
			}
		})
	}
}
