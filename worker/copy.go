package worker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/retry"
)

const (
	// sourceTries is how often a task tries to copy a source that keeps changing.
	sourceTries = 4
	// headTimeout limits a HeadObject. The fence does not limit it, because it does not write.
	headTimeout = 10 * time.Second
)

var (
	errSourceGone  = errors.New("source image is gone")
	errSourceEmpty = errors.New("source image is empty (0 bytes) since the plan; the datasets keep what they have")
)

// copy copies the source's present content to the destination. It sets the delivery's ETags.
func (w *Worker) copy(ctx context.Context, d *delivery) error {
	if d.msg.ReceiveCount > 1 || d.task.Round > 0 { // an earlier delivery may have copied it
		exists, err := w.alreadyCopied(ctx, d)
		if exists || err != nil {
			return err
		}
	}
	d.copied = d.task.SrcETag
	for try := 1; ; try++ {
		err := w.copyOnce(ctx, d)
		if !sourceChanged(err) || try == sourceTries {
			return explainMissing(err)
		}
		// The source is newer than the plan. Its present content is what the datasets should have
		// (guarantee 1).
		now, err := w.head(ctx, d, d.task.Src)
		if err != nil {
			return explainMissing(err)
		}
		if now.Size == 0 { // perhaps an upload is under way; a later delivery tries again
			return &bucket.Error{Op: "CopyObject", Key: d.task.Src, Code: "EmptySource", Err: errSourceEmpty}
		}
		d.copied = now.ETag
	}
}

// explainMissing adds an explanation for people to a NoSuchKey, and wraps the bucket's error.
func explainMissing(err error) error {
	var e *bucket.Error
	if errors.As(err, &e) && e.Code == bucket.CodeNoSuchKey {
		return fmt.Errorf("%w: %w", errSourceGone, err)
	}
	return err
}

// alreadyCopied returns whether the destination has the source's content.
func (w *Worker) alreadyCopied(ctx context.Context, d *delivery) (bool, error) {
	o, err := w.head(ctx, d, d.task.Dst)
	var e *bucket.Error
	switch {
	case err == nil && o.ETag == d.task.SrcETag:
		d.etag, d.copied = o.ETag, o.ETag
		return true, nil
	case err == nil, errors.Is(err, bucket.ErrNotFound):
		return false, nil
	case errors.As(err, &e) && (e.Code == bucket.CodeAccessDenied || e.Status == http.StatusForbidden):
		return false, nil // without s3:ListBucket a missing key gives 403; the copy then finds out
	}
	return false, err
}

func (w *Worker) head(ctx context.Context, d *delivery, key string) (o bucket.Object, err error) {
	err = w.retry(ctx, d, headObject, func() error {
		if _, err := w.passFence(ctx, d); err != nil {
			return err // a superseded task does not wait for the end of an outage
		}
		ctx, cancel := context.WithTimeout(ctx, headTimeout)
		defer cancel()
		begun := time.Now()
		o, err = w.cfg.Bucket.HeadObject(ctx, key)
		w.recordAnswer(headObject, begun, 1, err, d)
		return err
	})
	return o, err
}

func (w *Worker) copyOnce(ctx context.Context, d *delivery) error {
	return w.retry(ctx, d, copyObject, func() error {
		if w.limiter.acquire(ctx, w.stopping, 1) != nil {
			return errStopping
		}
		// The check is after every wait and right before the write, because the run may be
		// superseded during a wait.
		until, err := w.passFence(ctx, d)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithDeadline(ctx, until)
		defer cancel()
		begun := time.Now()
		d.etag, err = w.cfg.Bucket.CopyObject(ctx, d.task.Src, d.task.Dst, d.copied)
		w.recordAnswer(copyObject, begun, 1, err, d)
		return err
	})
}

// recordAnswer passes the result of a request for this number of keys to the counters, the limiter
// and the outage.
func (w *Worker) recordAnswer(kind call, begun time.Time, keys int, err error, batch ...*delivery) {
	w.count.request(kind)
	w.limiter.adjust(begun, countAnswer(keys, err))
	w.outage.record(time.Now(), kind, err, batch...)
}

// retry repeats a request as long as the bucket throttles it, or does not answer any request of
// this kind. Meanwhile heartbeats extend the visibility timeout, so the task does not lose a
// receive.
func (w *Worker) retry(ctx context.Context, d *delivery, kind call, request func() error) error {
	for try := 0; ; try++ {
		err := request()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errStopping // cut off by the end of the drain, whatever the error is
		}
		if fenced(err) {
			return err
		}
		blame, _ := classify(err)
		pause := throttlePause(try)
		switch {
		case blame == throttling:
			w.count.refused()
		case w.holds(d, kind, err):
			pause = retry.Backoff(100*time.Millisecond, try, outagePause)
		default:
			return err
		}
		if retry.Sleep(w.stopping, pause) != nil {
			return errStopping
		}
	}
}

// throttlePause spreads the retries of throttled requests. The limiter decides how many requests
// are sent.
func throttlePause(try int) time.Duration {
	return retry.Backoff(100*time.Millisecond, try, 2*time.Second)
}

// countAnswer counts the served and refused keys of a request for this number of keys, for the
// limiter.
func countAnswer(keys int, err error) answer {
	if err == nil {
		return answer{served: keys}
	}
	switch kind, _ := classify(err); kind {
	case throttling:
		return answer{refused: keys}
	case permanent:
		return answer{served: keys} // another error is no throttling: the bucket served the request
	}
	return answer{}
}
