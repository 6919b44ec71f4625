package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// errTooMany: a frame stands in as many places as there are class folders, far fewer than one request takes keys.
var errTooMany = &bucket.Error{Op: "DeleteObjects", Code: "TooManyKeys", Status: 400,
	Err: fmt.Errorf("more than %d keys to delete in one task", bucket.MaxDeleteObjects)}

// flush deletes what the tasks of a batch delete, in one request as long as none is to be tried again, and gives every delivery of
// the batch its ending. Together they have at most bucket.MaxDeleteObjects keys, or there is but one.
func (a *applier) flush(ctx context.Context, batch []*delivery) {
	for try := 0; len(batch) > 0; try++ {
		if try > 0 && !sleep(ctx, throttlePause(try-1), a.stopping) {
			a.endAll(batch, errStopping)
			return
		}
		if batch[0].keys() > bucket.MaxDeleteObjects {
			a.endAll(batch, errTooMany)
			return
		}
		batch = a.deleteOnce(ctx, batch)
	}
}

func (a *applier) endAll(batch []*delivery, err error) {
	for _, d := range batch {
		a.end(d, err)
	}
}

func (d *delivery) keys() int { return len(d.task.Del) }

// deleteOnce makes one request for the batch, and gives back the deliveries that are to be tried again: they were
// throttled, or the bucket does not answer requests of this kind.
func (a *applier) deleteOnce(ctx context.Context, batch []*delivery) (again []*delivery) {
	if a.limits.acquire(ctx, a.stop, keysOf(batch)) != nil {
		a.endAll(batch, errStopping)
		return nil
	}
	batch, until := a.admitAll(ctx, batch)
	if len(batch) == 0 {
		return nil
	}
	errs, err := a.deleteKeys(ctx, until, batch)
	if err != nil && ctx.Err() != nil {
		err = errStopping // cut off by the end of the drain, whatever it says
	}
	for _, d := range batch {
		e := err
		if e == nil {
			e = worst(errs, d.task.Del)
		}
		if kind, _ := classify(e); e != nil && !errors.Is(e, errStopping) && (kind == throttling || a.holds(d, deleteObjects, e)) {
			if kind == throttling {
				a.count.throttled.Add(1)
			}
			again = append(again, d)
			continue
		}
		a.end(d, e)
	}
	return again
}

func keysOf(batch []*delivery) (n int) {
	for _, d := range batch {
		n += d.keys()
	}
	return n
}

// admitAll passes the gate with the whole batch, and ends those that may not. A batch mixes runs, and one of them may
// have been superseded since its copies were made. The deadline is the earliest of all.
func (a *applier) admitAll(ctx context.Context, batch []*delivery) (admitted []*delivery, until time.Time) {
	for _, d := range batch {
		t, err := a.admit(ctx, d)
		if err != nil {
			a.end(d, err)
			continue
		}
		if len(admitted) == 0 || t.Before(until) {
			until = t
		}
		admitted = append(admitted, d)
	}
	return admitted, until
}

// deleteKeys makes the request. Its errors of single keys come by key.
func (a *applier) deleteKeys(ctx context.Context, until time.Time, batch []*delivery) (map[string]error, error) {
	keys := uniqueKeys(batch)
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	a.count.request(deleteObjects)
	begun := time.Now()
	failed, err := a.bucket.DeleteObjects(ctx, keys)
	sum := tally(len(keys), err)
	errs := make(map[string]error, len(failed))
	for _, e := range failed {
		errs[e.Key] = e
		if kind, _ := classify(e); err == nil && kind == throttling {
			sum.served, sum.refused = sum.served-1, sum.refused+1
		}
	}
	a.limits.learn(begun, sum)
	answer := err
	if err == nil && len(errs) == len(keys) {
		answer = errs[keys[0]] // status 200, and every key failed
	}
	a.outage.note(time.Now(), deleteObjects, answer, batch...)
	return errs, err
}

// uniqueKeys are the batch's keys, each once: the queue may have delivered a task twice.
func uniqueKeys(batch []*delivery) []string {
	n := keysOf(batch)
	keys, seen := make([]string, 0, n), make(map[string]struct{}, n)
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

// worst is the error that decides about a task of which several keys failed: one that kills it before one that
// sends it back, before one that makes it wait.
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
