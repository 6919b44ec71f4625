package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/retry"
)

const (
	// deleteParallel is the number of requests at a time. It must be enough even for requests of
	// one key. With fewer than the limiter grants, the deletes of a worker would pile up until the
	// end of the run.
	deleteParallel = 64
	deleteKeys     = 25 // in one request, while no limit is known
	// deleteTime limits the keys of one request to those that the known rate allows in this time.
	// S3 counts each key as a write, and refuses keys of a large request where it accepts single
	// keys.
	deleteTime = 3 * time.Millisecond
)

// errTooMany refuses a task that is certainly wrong. A frame is at most once in each class folder,
// and there are far fewer class folders than one request allows keys.
var errTooMany = &bucket.Error{Op: "DeleteObjects", Code: "TooManyKeys", Status: 400,
	Err: fmt.Errorf("more than %d keys to delete in one task", bucket.MaxDeleteObjects)}

// deleteSize is how many keys one request deletes.
func (w *Worker) deleteSize() int {
	if rate := w.limiter.knownRate(); rate > 0 {
		return min(max(int(rate*deleteTime.Seconds()), 1), bucket.MaxDeleteObjects)
	}
	return deleteKeys
}

// delete deletes the keys of all tasks of a batch in one request, and repeats it for tasks to try
// again. The batch has at most bucket.MaxDeleteObjects keys, or only one task. It returns the tasks
// that failed.
func (w *Worker) delete(ctx context.Context, batch []*delivery) map[*delivery]error {
	if batch[0].keys() > bucket.MaxDeleteObjects {
		return allFailed(batch, errTooMany)
	}
	failed := map[*delivery]error{}
	for try := 0; len(batch) > 0; try++ {
		if try > 0 && retry.Sleep(w.stopping, throttlePause(try-1)) != nil {
			maps.Copy(failed, allFailed(batch, errStopping))
			break
		}
		batch = w.deleteOnce(ctx, batch, failed)
	}
	return failed
}

// deleteOnce makes one request. It adds the tasks that failed permanently to failed. It returns the
// tasks to try again: they were throttled, or the bucket does not answer any request of this kind.
func (w *Worker) deleteOnce(ctx context.Context, batch []*delivery, failed map[*delivery]error) (again []*delivery) {
	if w.limiter.acquire(ctx, w.stopping, len(keysOf(batch))) != nil {
		maps.Copy(failed, allFailed(batch, errStopping))
		return nil
	}
	batch, until := w.passFenceTogether(ctx, batch, failed)
	if len(batch) == 0 {
		return nil
	}
	errs, err := w.deleteKeys(ctx, until, batch)
	if err != nil && ctx.Err() != nil {
		err = errStopping // cut off by the end of the drain, whatever the error is
	}
	for _, d := range batch {
		e := cmp.Or(err, worst(errs, d.task.Del))
		kind, _ := classify(e)
		switch {
		case e == nil:
		case errors.Is(e, errStopping):
			failed[d] = e
		case kind == throttling:
			w.count.refused()
			again = append(again, d)
		case w.holds(d, deleteObjects, e):
			again = append(again, d)
		default:
			failed[d] = e
		}
	}
	return again
}

// passFenceTogether checks each task of a batch at the fence, and returns those that pass. A batch
// mixes runs, and a run may have been superseded since its copies. The deadline is the earliest one
// of the tasks.
func (w *Worker) passFenceTogether(ctx context.Context, batch []*delivery, failed map[*delivery]error) (passed []*delivery, until time.Time) {
	for _, d := range batch {
		t, err := w.passFence(ctx, d)
		if err != nil {
			failed[d] = err
			continue
		}
		if len(passed) == 0 || t.Before(until) {
			until = t
		}
		passed = append(passed, d)
	}
	return passed, until
}

// deleteKeys makes the request, and returns the errors of single keys by key.
func (w *Worker) deleteKeys(ctx context.Context, until time.Time, batch []*delivery) (map[string]error, error) {
	keys := keysOf(batch)
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	w.count.request(deleteObjects)
	begun := time.Now()
	refused, err := w.cfg.Bucket.DeleteObjects(ctx, keys)
	sum := countAnswer(len(keys), err)
	errs := make(map[string]error, len(refused))
	for _, e := range refused {
		errs[e.Key] = e
		if kind, _ := classify(e); err == nil && kind == throttling {
			sum.served, sum.refused = sum.served-1, sum.refused+1
		}
	}
	w.limiter.adjust(begun, sum)
	answer := err
	if err == nil && len(errs) == len(keys) {
		answer = errs[keys[0]] // status 200, and every key failed
	}
	w.outage.record(time.Now(), deleteObjects, answer, batch...)
	return errs, err
}

// keysOf returns the batch's keys without duplicates: the queue may have delivered a task twice.
func keysOf(batch []*delivery) (keys []string) {
	seen := make(map[string]struct{}, len(batch))
	for _, d := range batch {
		for _, key := range d.task.Del {
			if _, twice := seen[key]; !twice {
				seen[key] = struct{}{}
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// worst returns the error that decides about a task with several failed keys. A permanent error
// comes before a transient one, and that before throttling.
func worst(errs map[string]error, keys []string) (worst error) {
	if len(errs) == 0 {
		return nil
	}
	least := throttling + 1
	for _, key := range keys {
		if err := errs[key]; err != nil {
			if kind, _ := classify(err); kind < least {
				least, worst = kind, err
			}
		}
	}
	return worst
}
