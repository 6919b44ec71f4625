package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// applier carries out deliveries on the bucket: read, admit, copy, then delete. It blocks in its ports, in timers and on
// contexts only, and it starts no goroutine.
//
// Contexts are the work's: they end when the time for draining is over. stopping is closed earlier, when the worker is told
// to stop, and ends only what would not end by itself: waiting for the pointer and trying again.
type applier struct {
	bucket      Bucket
	layout      dataset.Layout
	scope       string
	runs        Runs // may be nil
	plan        *plan
	others      *others
	unread      *sync.Once // says that the plans cannot be read
	gate        *gate
	outage      *outage
	limits      *limiter
	count       *counters
	log         *zap.Logger
	maxReceives int
	stopping    <-chan struct{}
	stop        context.Context
}

// read takes the message as a task of this environment. Else the delivery has its ending, and read gives false.
func (a *applier) read(d *delivery) bool {
	err := d.read(a.layout, a.scope)
	if err != nil {
		a.end(d, err)
	}
	return err == nil
}

// begin does all of a task that was read but its deletes, which flush does, for many tasks in one request. more says
// that they are still to come; else the delivery has its ending.
func (a *applier) begin(ctx context.Context, d *delivery) (more bool) {
	// Before any request of the task: one that is not to be applied costs none.
	_, err := a.admit(ctx, d)
	switch {
	case err == nil:
		err = a.planned(ctx, d)
	case errors.Is(err, errSuperseded), isNotYet(err):
		if err = cmp.Or(a.ours(ctx, d), err); errors.Is(err, errNotOurs) {
			a.others.late.Add(1)
		}
	}
	if err == nil && d.task.Src != "" {
		err = a.copy(ctx, d)
	}
	if err == nil && len(d.task.Del) > 0 {
		return true // the copy stands, so the frame is never absent while the others go
	}
	a.end(d, err)
	return false
}

// end gives the delivery its ending.
func (a *applier) end(d *delivery, err error) {
	d.conclude(err, a.maxReceives, a.outage.any(time.Now()))
	a.count.ended(d)
	if errors.Is(err, errNotOurs) {
		a.others.meet(&d.task)
	}
	if line := a.log.Check(zap.DebugLevel, "task"); line != nil {
		line.Write(zap.String("run", d.task.Run), zap.Uint32("seq", d.task.Seq), zap.String("frame", string(d.task.Frame)),
			zap.String("op", string(d.task.Op)), zap.String("outcome", string(d.ending.outcome)),
			zap.Int("attempts", d.msg.ReceiveCount), zap.Duration("return", d.ending.delay), zap.Error(err))
	}
}

// admit is the gate. While the pointer cannot be read it waits: for all tasks alike, there is nothing better to do.
func (a *applier) admit(ctx context.Context, d *delivery) (until time.Time, err error) {
	for try := 0; ; try++ {
		until, err = a.gate.check(ctx, d)
		switch {
		case err == nil, errors.Is(err, errSuperseded), errors.Is(err, errOutside):
			return until, err
		case errors.Is(err, errNotYet), time.Since(d.received) > maxHold:
			return until, &waitedError{cause: err}
		case !sleep(ctx, jitter(100*time.Millisecond, try, 5*time.Second), a.stopping):
			return until, errStopping
		}
	}
}

// sourceTries bounds how often a copy follows a source that keeps changing.
const sourceTries = 4

var (
	errSourceGone  = errors.New("source image is gone")
	errSourceEmpty = errors.New("source image is empty (0 bytes) since the plan; the datasets keep what they have")
)

// copy brings the source's present content to the destination.
func (a *applier) copy(ctx context.Context, d *delivery) error {
	if d.again() {
		there, err := a.alreadyThere(ctx, d)
		if there || err != nil {
			return err
		}
	}
	d.copied = d.task.SrcETag
	for try := 1; ; try++ {
		err := a.write(ctx, d, func(ctx context.Context) (err error) {
			a.count.request(copyObject)
			d.etag, err = a.bucket.CopyObject(ctx, d.task.Src, d.task.Dst, d.copied)
			return err
		})
		if !sourceChanged(err) || try == sourceTries {
			return goneIfAbsent(err)
		}
		// The source is newer than the plan. Its present content is what the datasets should have (guarantee 1).
		now, err := a.head(ctx, d, d.task.Src)
		if err != nil {
			return goneIfAbsent(err)
		}
		if now.Size == 0 { // perhaps it is being uploaded: the task comes again
			return &bucket.Error{Op: "CopyObject", Key: d.task.Src, Code: "EmptySource", Err: errSourceEmpty}
		}
		d.copied = now.ETag
	}
}

// goneIfAbsent says in plain words what a missing source means. The bucket's error stays within.
func goneIfAbsent(err error) error {
	var e *bucket.Error
	if errors.As(err, &e) && e.Code == bucket.CodeNoSuchKey {
		return fmt.Errorf("%w: %w", errSourceGone, err)
	}
	return err
}

// alreadyThere looks whether the destination has the source's content.
func (a *applier) alreadyThere(ctx context.Context, d *delivery) (bool, error) {
	o, err := a.head(ctx, d, d.task.Dst)
	var e *bucket.Error
	switch {
	case err == nil && o.ETag == d.task.SrcETag:
		d.etag, d.copied = o.ETag, o.ETag
		return true, nil
	case err == nil, errors.Is(err, bucket.ErrNotFound):
		return false, nil
	case errors.As(err, &e) && (e.Code == bucket.CodeAccessDenied || e.Status == http.StatusForbidden):
		return false, nil // without s3:ListBucket a missing key answers 403; the copy will tell
	}
	return false, err
}

// headTimeout bounds one look. It writes nothing, so the fence does not.
const headTimeout = 10 * time.Second

func (a *applier) head(ctx context.Context, d *delivery, key string) (o bucket.Object, err error) {
	err = a.retry(ctx, d, headObject, func() error {
		ctx, cancel := context.WithTimeout(ctx, headTimeout)
		defer cancel()
		a.count.request(headObject)
		begun := time.Now()
		o, err = a.bucket.HeadObject(ctx, key)
		a.limits.learn(begun, tally(1, err))
		a.outage.note(time.Now(), headObject, err, d)
		return err
	})
	return o, err
}

// write makes one write for a delivery: it waits for its turn, passes the gate, and gets the time limit of the fence.
func (a *applier) write(ctx context.Context, d *delivery, call func(context.Context) error) error {
	return a.retry(ctx, d, copyObject, func() error {
		if a.limits.acquire(ctx, a.stop, 1) != nil {
			return errStopping
		}
		// After every wait, and right before the write: what happened since the last look must count.
		until, err := a.admit(ctx, d)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithDeadline(ctx, until)
		defer cancel()
		begun := time.Now()
		err = call(ctx)
		a.limits.learn(begun, tally(1, err))
		a.outage.note(time.Now(), copyObject, err, d)
		return err
	})
}

// retry makes a request again as long as the bucket throttles it, or does not answer any request of this kind. The delivery's heartbeat
// holds it meanwhile, and no attempt is burnt.
func (a *applier) retry(ctx context.Context, d *delivery, kind call, request func() error) error {
	for try := 0; ; try++ {
		err := request()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errStopping // cut off by the end of the drain, whatever it says
		}
		blame, _ := classify(err)
		most := 2 * time.Second
		switch {
		case blame == throttling:
			a.count.throttled.Add(1)
		case a.holds(d, kind, err):
			most = outagePause
		default:
			return err
		}
		if !sleep(ctx, jitter(100*time.Millisecond, try, most), a.stopping) {
			return errStopping
		}
	}
}

// throttlePause spreads the retries of throttled requests; how many requests there are is the limiter's business.
func throttlePause(try int) time.Duration { return jitter(100*time.Millisecond, try, 2*time.Second) }

// tally is what the limiter wants to know of an answer to a request for n keys.
func tally(n int, err error) answer {
	if err == nil {
		return answer{served: n}
	}
	switch kind, _ := classify(err); kind {
	case throttling:
		return answer{refused: n}
	case permanent:
		return answer{served: n} // an answer at any rate
	}
	return answer{}
}
