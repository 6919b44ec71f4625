package worker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
	gate        *gate
	limits      *limiter
	count       *counters
	log         *zap.Logger
	patience    time.Duration // how long a delivery waits for the pointer
	maxReceives int
	stopping    <-chan struct{}
}

// begin does all of a task but its deletes, which flush does, for many tasks in one request. more says that they are
// still to come; else the delivery has its ending.
func (a *applier) begin(ctx context.Context, d *delivery) (more bool) {
	err := d.read(a.layout)
	if err == nil {
		// Before any request of the task: one that is not to be applied costs none.
		_, err = a.admit(ctx, d)
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
	d.conclude(err, a.maxReceives)
	a.count.ended(d)
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
		case errors.Is(err, errNotYet), time.Since(d.received) > a.patience:
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
		now, err := a.head(ctx, d.task.Src)
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
	o, err := a.head(ctx, d.task.Dst)
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

func (a *applier) head(ctx context.Context, key string) (o bucket.Object, err error) {
	err = a.retry(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, headTimeout)
		defer cancel()
		a.count.request(headObject)
		begun := time.Now()
		o, err = a.bucket.HeadObject(ctx, key)
		a.limits.finish(time.Now(), begun, tally(1, err))
		return err
	})
	return o, err
}

// write makes one write for a delivery: it waits for its turn, passes the gate, and gets the time limit of the fence.
func (a *applier) write(ctx context.Context, d *delivery, call func(context.Context) error) error {
	return a.retry(ctx, func() error {
		if err := a.pace(ctx, 1); err != nil {
			return err
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
		a.limits.finish(time.Now(), begun, tally(1, err))
		return err
	})
}

const (
	// soonTurn is how far off a turn may be for a worker that is to stop to wait for it all the same.
	soonTurn = time.Second
	// turnLook is how long it waits before it looks again: the rate may have changed. Right after a time in which S3 refused everything a turn
	// seems to be minutes off.
	turnLook = 250 * time.Millisecond
)

// pace waits until the limiter lets so many writes begin.
func (a *applier) pace(ctx context.Context, writes int) error {
	place := a.limits.ask(time.Now(), writes)
	for {
		wait := a.limits.wait(time.Now(), place)
		var ends <-chan struct{}
		if wait > soonTurn {
			ends = a.stopping
		}
		if !sleep(ctx, min(wait, turnLook), ends) {
			return errStopping
		}
		if wait == 0 {
			return nil
		}
	}
}

// retry makes a request again as long as the bucket throttles it. The delivery's heartbeat holds it meanwhile, and no
// attempt is burnt.
func (a *applier) retry(ctx context.Context, request func() error) error {
	for try := 0; ; try++ {
		err := request()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errStopping // cut off by the end of the drain, whatever it says
		}
		if kind, _ := classify(err); kind != throttling {
			return err
		}
		a.count.throttled.Add(1)
		if !sleep(ctx, throttlePause(try), a.stopping) {
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
