package worker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

const pointerTimeout = 5 * time.Second

// Why a task may not be applied.
var (
	// errSuperseded means that another run is in force, or that the task's run no longer applies
	// tasks.
	errSuperseded = errors.New("the task's run is not in force")
	// errNotYet means that the pointer is older than the task. Planners change the pointer before
	// they publish. So a newer pointer follows soon, or the task belongs to another environment.
	errNotYet = errors.New("the task's run has not begun")
	// errOutside means that the task's number is beyond the last task of the run in force.
	errOutside = errors.New("the run in force has fewer tasks")
)

// fenced returns whether err comes from the fence, and not from a request to the bucket.
func fenced(err error) bool {
	var waited *waitedError
	return errors.Is(err, errSuperseded) || errors.Is(err, errOutside) || errors.Is(err, errStopping) || errors.As(err, &waited)
}

// snapshot is the pointer as it was at at or later. at was taken from the monotonic clock before
// the GET was sent, so the content is never older than at.
type snapshot struct {
	pointer state.PointerSnapshot
	at      time.Time
}

// limits returns the limits in the pointer. Without a pointer it returns the defaults, because the
// absence is cached too.
func (s *snapshot) limits() state.Fence {
	if !s.pointer.Exists() {
		return state.DefaultFence
	}
	return s.pointer.Fence
}

// fence lets the tasks of the run in force write. A task that passed may write until the returned
// deadline, and must pass again before the next write. Package state explains why that is safe.
type fence struct {
	pointer Pointer
	log     *zap.Logger

	current atomic.Pointer[snapshot]
	failing atomic.Bool // the last read failed, and the failure is logged
	reads   singleflight.Group
	wanted  chan struct{} // asks keepFresh for a new snapshot before the present one is too old
}

func newFence(p Pointer, log *zap.Logger) *fence {
	return &fence{pointer: p, log: log, wanted: make(chan struct{}, 1)}
}

// judge returns nil when a task may be applied while the pointer is p.
func judge(p state.PointerSnapshot, t *messages.Task) error {
	switch {
	case !p.Exists() || t.Gen > p.Generation:
		return errNotYet
	case t.Gen < p.Generation || t.Run != p.Run:
		return errSuperseded
	case p.State == state.Planning || p.State == state.Review:
		return errNotYet
	case !p.State.Acting():
		return errSuperseded
	case int64(t.Seq) >= int64(p.Tasks):
		return errOutside
	}
	return nil
}

// check returns until when the delivery's task may write, or why it may not. An error other than
// the three above means that the pointer could not be read.
func (f *fence) check(ctx context.Context, d *delivery) (until time.Time, err error) {
	var notBefore time.Time
	for {
		s, now, err := f.freshSnapshot(ctx, notBefore)
		if err != nil {
			return time.Time{}, err
		}
		err = judge(s.pointer, &d.task)
		switch {
		case err == nil:
			return now.Add(s.limits().Attempt()), nil
		case d.task.Gen < s.pointer.Generation:
			return time.Time{}, err // generations only grow: an old snapshot is enough
		case !s.at.Before(d.received):
			return time.Time{}, err
		}
		// The pointer was changed before the task was sent: planning became publishing, or a failed
		// run was redriven. So only a read that began after the task's receive can refuse the task.
		notBefore = d.received
	}
}

// freshSnapshot returns a snapshot whose read began at notBefore or later, and the present time, at
// which it is not too old.
func (f *fence) freshSnapshot(ctx context.Context, notBefore time.Time) (s *snapshot, now time.Time, err error) {
	now = time.Now()
	s, cache := f.current.Load(), state.DefaultFence.Cache()
	if s != nil {
		cache = s.limits().Cache()
		if age := now.Sub(s.at); age < cache && !s.at.Before(notBefore) {
			if age > cache/2 {
				select {
				case f.wanted <- struct{}{}:
				default: // already requested
				}
			}
			return s, now, nil
		}
	}
	// A read that began a moment ago is recent enough, so the caller does not need a read of its
	// own.
	if recent := now.Add(-cache / 2); recent.After(notBefore) {
		notBefore = recent
	}
	if s, err = f.readSince(ctx, notBefore); err != nil {
		return nil, now, err
	}
	if now = time.Now(); now.Sub(s.at) >= s.limits().Cache() {
		return nil, now, fmt.Errorf("current.json took %s to read, longer than the fence's %s", now.Sub(s.at), s.limits().Cache())
	}
	return s, now, nil
}

// keepFresh renews the snapshot while it is in use, so that no task waits for a read. It returns
// when ctx ends.
func (f *fence) keepFresh(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wanted:
			// A failure is logged, and a task that needs the snapshot reads again.
			_, _ = f.readSince(ctx, time.Now())
		}
	}
}

// readSince returns a snapshot whose read began at notBefore or later. Reads are shared: one is
// under way at a time.
func (f *fence) readSince(ctx context.Context, notBefore time.Time) (*snapshot, error) {
	for {
		if s := f.current.Load(); s != nil && !s.at.Before(notBefore) {
			return s, nil
		}
		if _, err, _ := f.reads.Do("current.json", func() (any, error) { return nil, f.read(ctx) }); err != nil {
			return nil, err
		}
	}
}

// read reads the pointer.
func (f *fence) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pointerTimeout)
	defer cancel()
	old, next := f.current.Load(), &snapshot{at: time.Now()}
	if old == nil {
		old = &snapshot{}
	}
	var err error
	next.pointer, err = f.pointer.Current(ctx, old.pointer)
	if p := next.pointer; err == nil && p.Exists() && (p.Fence.CacheMS <= 0 || p.Fence.AttemptMS <= 0) {
		err = fmt.Errorf("current.json sets no fence: cache_ms %d, attempt_ms %d", p.Fence.CacheMS, p.Fence.AttemptMS)
	}
	switch failed := f.failing.Swap(err != nil); {
	case err != nil && !failed:
		f.log.Warn("cannot read the pointer; tasks wait", zap.Error(err))
	case err == nil && failed:
		f.log.Info("the pointer can be read again")
	}
	if err != nil {
		return err
	}
	if p := next.pointer; old.at.IsZero() || old.pointer.Run != p.Run || old.pointer.State != p.State {
		f.log.Info("run in force", zap.String("run", p.Run), zap.Int64("generation", p.Generation), zap.String("state", string(p.State)))
	}
	f.current.Store(next)
	return nil
}
