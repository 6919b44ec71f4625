package planner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// begin acquires the pointer for a new run, or for the publication that another planner has left
// unfinished. quiet waits until no worker can still act on an older run.
func (p *Planner) begin(ctx context.Context, opt Options, show *progress) (pointer state.PointerSnapshot, quiet func(context.Context) error, err error) {
	for {
		old, err := p.Store.Current(ctx, state.PointerSnapshot{})
		if err != nil {
			return state.PointerSnapshot{}, nil, err
		}
		if old.State.Active() && !opt.Supersede {
			if old, err = p.await(ctx, old, show); err != nil {
				return state.PointerSnapshot{}, nil, err
			}
		}
		pointer, err := p.take(ctx, old, opt)
		if errors.Is(err, state.ErrConflict) {
			continue // another process changed the pointer first: read it again
		}
		if err != nil {
			return state.PointerSnapshot{}, nil, err
		}
		if old.State.Active() && old.Run != pointer.Run {
			p.log().Info("took over from an earlier run", zap.String("run", pointer.Run), zap.String("superseded", old.Run), zap.String("state", string(old.State)))
		}
		until := time.Now().Add(quietLeft(old, pointer.Generation))
		return pointer, quietUntil(until, old, show), nil
	}
}

// take changes the pointer to a new generation. An unfinished publication keeps its generation.
func (p *Planner) take(ctx context.Context, old state.PointerSnapshot, opt Options) (state.PointerSnapshot, error) {
	next := old.Pointer
	next.Heartbeat++
	if old.State == state.Publishing && !opt.Supersede {
		return p.Store.Swap(ctx, old, next)
	}
	now := p.now().UTC()
	gen := old.Generation + 1
	if !old.Exists() {
		last, err := p.Store.LastGeneration(ctx)
		if err != nil {
			return state.PointerSnapshot{}, err
		}
		gen = last + 1
	}
	name := p.NameRun
	if name == nil {
		name = state.NewRunName
	}
	return p.Store.Swap(ctx, old, state.Pointer{
		Generation: gen,
		Run:        name(now, gen),
		State:      state.Planning,
		Fence:      state.DefaultFence,
		Started:    now.Truncate(time.Second),
		Note:       quietStep(old, quietLeft(old, gen)).String(),
	})
}

// await waits until the planner of an active run has left it. A planner has left its run when the
// pointer has not changed for Lease by the clock of this process. If workers have the run, or its
// planner is alive, await returns an *ActiveError.
func (p *Planner) await(ctx context.Context, old state.PointerSnapshot, show *progress) (state.PointerSnapshot, error) {
	active := &ActiveError{Run: old.Run, State: old.State, Note: old.Note}
	if old.State != state.Planning && old.State != state.Publishing {
		active.Tracker = p.wakeTracker(ctx, old)
		return state.PointerSnapshot{}, active
	}
	show.wait(Step{Text: "another planner is at work: waiting to see whether it lives", Left: p.Config.Lease},
		zap.String("run", old.Run), zap.String("state", string(old.State)), zap.Duration("at_most", p.Config.Lease))
	defer show.wait(Step{})
	look := time.NewTicker(max(p.Config.Lease/20, 10*time.Millisecond))
	defer look.Stop()
	for begun := time.Now(); time.Since(begun) < p.Config.Lease; {
		select {
		case <-ctx.Done():
			return state.PointerSnapshot{}, ctx.Err()
		case <-look.C:
		}
		now, err := p.Store.Current(ctx, old)
		switch {
		case err != nil:
			return state.PointerSnapshot{}, err
		case now.Writer != old.Writer && now.State.Active():
			active.Run, active.State, active.Note = now.Run, now.State, now.Note
			return state.PointerSnapshot{}, active
		case now.Writer != old.Writer:
			return now, nil // the run has ended meanwhile
		}
	}
	return old, nil
}

// trackerGone is how long a run saves nothing before its tracker counts as gone. A tracker that is
// alive saves results every second, and verifies a run in less than two minutes.
const trackerGone = 3 * time.Minute

// wakeTracker wakes a tracker when the tracker of an active run seems to be gone. It returns a
// sentence about what it did.
func (p *Planner) wakeTracker(ctx context.Context, pointer state.PointerSnapshot) string {
	if p.WakeTracker == nil {
		return ""
	}
	age := pointer.Age
	if progress, err := p.Store.ReadProgress(ctx, pointer.Run, pointer.Tasks); err == nil && progress.Age > 0 {
		age = min(age, progress.Age)
	}
	if age >= 0 && age < trackerGone { // a negative age is unknown
		return ""
	}
	if err := p.WakeTracker(ctx); err != nil {
		return fmt.Sprintf("its tracker seems to be gone, and could not be woken: %v", err)
	}
	p.log().Warn("woke a tracker for a run that does not go on", zap.String("run", pointer.Run), zap.Duration("age", age))
	since := "a while"
	if age > 0 {
		since = age.Round(time.Second).String()
	}
	return "its tracker seems to be gone, since nothing was saved for " + since + ": a message to the results queue wakes one"
}

// quietLeft is how long workers may still act on the run before this generation. It is 0 after a
// run that succeeded without tasks: that run had no workers, and it waited for those of earlier
// runs.
//
// While the old run is active, workers may act on it until this planner writes the pointer. So the
// wait is the whole quiet time. It is also the whole quiet time when the pointer was deleted, since
// its content is then unknown.
func quietLeft(old state.PointerSnapshot, generation int64) time.Duration {
	if generation == 1 || old.State == state.Succeeded && old.Tasks == 0 {
		return 0
	}
	left := cmp.Or(old.Fence, state.DefaultFence).Quiet()
	if !old.State.Active() && old.Age > 0 {
		left -= old.Age
	}
	return max(left, 0)
}

func quietStep(old state.PointerSnapshot, left time.Duration) Step {
	if left <= 0 {
		return Step{}
	}
	return Step{Text: "waiting until no worker acts on run " + cmp.Or(old.Run, "before"), Left: left}
}

// quietUntil waits until no worker can act on the run before.
func quietUntil(until time.Time, old state.PointerSnapshot, show *progress) func(context.Context) error {
	return func(ctx context.Context) error {
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		show.wait(quietStep(old, left), zap.String("before", old.Run), zap.Duration("for", left.Round(100*time.Millisecond)))
		defer show.wait(Step{})
		if retry.Sleep(ctx, left) != nil {
			return context.Cause(ctx)
		}
		return nil
	}
}

// lease writes the heartbeat of the pointer while a planner plans. Its ctx ends when another
// process has taken the pointer.
type lease struct {
	p       *Planner
	note    func() string // returns what the planner waits for
	ctx     context.Context
	cancel  context.CancelCauseFunc
	done    chan struct{}
	pointer state.PointerSnapshot // only beat uses it until done is closed
}

func (p *Planner) keep(ctx context.Context, pointer state.PointerSnapshot, note func() string) *lease {
	ctx, cancel := context.WithCancelCause(ctx)
	l := &lease{p: p, note: note, ctx: ctx, cancel: cancel, done: make(chan struct{}), pointer: pointer}
	go l.beat()
	return l
}

func (l *lease) beat() {
	defer close(l.done)
	tick := time.NewTicker(max(l.p.Config.Lease/4, 100*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
		case <-tick.C:
		}
		if l.ctx.Err() != nil {
			return // return also when a beat is due: advance or fail waits for the end
		}
		pointer, err := l.swap(l.ctx, func(next *state.Pointer) { next.Note = l.note() })
		switch {
		case err == nil:
			l.pointer = pointer
		case errors.Is(err, state.ErrConflict):
			l.cancel(fmt.Errorf("run %s: %w", l.pointer.Run, err))
			return
		}
		// Any other error is an error of the bucket. The next beat tries again. If every beat
		// fails, another planner may take the pointer, and the next write then fails with a
		// conflict.
	}
}

// swapTimeout bounds a write of the pointer. The context of the caller must not cancel the write,
// since it would then be unknown whether the write was applied.
const swapTimeout = 10 * time.Second

// swap changes the pointer and increments the heartbeat. After a conflict, swap reads the pointer.
// If it still has this run in planning, an earlier write of this lease was applied and its response
// was lost. Then swap tries again. Any other process changes the run or the state.
func (l *lease) swap(ctx context.Context, change func(*state.Pointer)) (state.PointerSnapshot, error) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), swapTimeout)
	defer stop()
	for {
		next := l.pointer.Pointer
		change(&next)
		next.Heartbeat++
		pointer, err := l.p.Store.Swap(ctx, l.pointer, next)
		if !errors.Is(err, state.ErrConflict) {
			return pointer, err
		}
		now, readErr := l.p.Store.Current(ctx, state.PointerSnapshot{})
		if readErr != nil || now.Run != l.pointer.Run || now.State != state.Planning || now.Writer == l.pointer.Writer {
			return pointer, err
		}
		l.pointer = now
	}
}

// errDone stops the heartbeat when the planner goes on to another state.
var errDone = errors.New("planned")

// advance stops the heartbeat and changes the pointer.
func (l *lease) advance(ctx context.Context, change func(*state.Pointer)) (state.PointerSnapshot, error) {
	l.cancel(errDone)
	<-l.done
	if cause := context.Cause(l.ctx); !errors.Is(cause, errDone) {
		return state.PointerSnapshot{}, l.fail(ctx, cause)
	}
	return l.swap(ctx, change)
}

// fail ends the run with the reason, also when ctx is over. So the next planner does not have to
// wait for the lease.
func (l *lease) fail(ctx context.Context, reason error) error {
	if cause := context.Cause(l.ctx); cause != nil && ctx.Err() == nil {
		reason = cause
	}
	l.cancel(errDone)
	<-l.done
	_, err := l.swap(ctx, func(next *state.Pointer) {
		next.State, next.Reason, next.Finished = state.Failed, "planning: "+reason.Error()+"; nothing was published", l.p.now().UTC().Truncate(time.Second)
	})
	reason = fmt.Errorf("plan run %s: %w; nothing was published", l.pointer.Run, reason)
	if err != nil && !errors.Is(err, state.ErrConflict) {
		return errors.Join(reason, err)
	}
	return reason
}
