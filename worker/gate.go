package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Why a task may not be applied.
var (
	// errSuperseded: its run is no longer the one in force, or no longer applies tasks.
	errSuperseded = errors.New("the task's run is not in force")
	// errNotYet: the pointer is behind the task. Planners change it before they publish, so this passes or never should be.
	errNotYet = errors.New("the task's run has not begun")
	// errOutside: the run in force has no such task.
	errOutside = errors.New("the run in force has fewer tasks")
)

// view is the pointer as it stood at some moment not before at. at was taken before the GET was sent, from the
// monotonic clock: how old a view is, is never underestimated.
type view struct {
	held state.Held
	at   time.Time
}

// fence is the one that the pointer sets; the default's where there is no pointer, so that its absence is cached too.
func (v *view) fence() state.Fence {
	if !v.held.Exists() {
		return state.DefaultFence
	}
	return v.held.Fence
}

// gate lets through the tasks of the run in force. Whoever passed may write until the returned deadline, and then must
// pass again; package state says why that is safe.
type gate struct {
	pointer Pointer
	log     *zap.Logger

	current atomic.Pointer[view]
	wanted  chan struct{} // asks keep for a new view before the present one is too old

	mu      sync.Mutex
	flight  *flight // the GET under way
	failing bool    // the last GET failed, and that has been logged
}

// flight is one GET of the pointer, for everybody who waits for it.
type flight struct {
	landed chan struct{}
	err    error
}

func newGate(p Pointer, log *zap.Logger) *gate {
	return &gate{pointer: p, log: log, wanted: make(chan struct{}, 1)}
}

// judge says whether a task may be applied while the pointer stands as it is.
func judge(p state.Held, t *messages.Task) error {
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

// check lets the delivery's task write until the deadline, or says why not. Any error but the three above means that the
// pointer could not be read.
func (g *gate) check(ctx context.Context, d *delivery) (until time.Time, err error) {
	var notBefore time.Time
	for {
		v, now, err := g.fresh(ctx, notBefore)
		if err != nil {
			return time.Time{}, err
		}
		err = judge(v.held, &d.task)
		switch {
		case err == nil:
			return now.Add(v.fence().Attempt()), nil
		case d.task.Gen < v.held.Generation:
			return time.Time{}, err // generations only grow: an old view is enough
		case !v.at.Before(d.received):
			return time.Time{}, err
		}
		// The pointer was changed before the task was sent: planning became publishing, a failed run was redriven. So
		// only a view that was asked for after the task had come can turn it away.
		notBefore = d.received
	}
}

// fresh gives a view that was asked for at notBefore or later and that may be acted on at the moment now.
func (g *gate) fresh(ctx context.Context, notBefore time.Time) (v *view, now time.Time, err error) {
	now = time.Now()
	v, cache := g.current.Load(), state.DefaultFence.Cache()
	if v != nil {
		cache = v.fence().Cache()
		if age := now.Sub(v.at); age < cache && !v.at.Before(notBefore) {
			if age > cache/2 {
				g.want()
			}
			return v, now, nil
		}
	}
	// A GET that is under way since a moment ago will do as well as one of the caller's own.
	if recent := now.Add(-cache / 2); recent.After(notBefore) {
		notBefore = recent
	}
	if v, err = g.since(ctx, notBefore); err != nil {
		return nil, now, err
	}
	if now = time.Now(); now.Sub(v.at) >= v.fence().Cache() {
		return nil, now, fmt.Errorf("current.json took %s to read, longer than the fence's %s", now.Sub(v.at), v.fence().Cache())
	}
	return v, now, nil
}

// want asks for a new view, without waiting for it.
func (g *gate) want() {
	select {
	case g.wanted <- struct{}{}:
	default: // asked for already
	}
}

// keep renews the view while it is in use, so that nobody has to wait for a GET. It returns when ctx ends.
func (g *gate) keep(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.wanted:
			_, _ = g.since(ctx, time.Now()) // a failure is logged, and met by whoever needs the view
		}
	}
}

// since gives a view whose GET was sent at notBefore or later. However many ask, one GET is under way.
func (g *gate) since(ctx context.Context, notBefore time.Time) (*view, error) {
	for {
		if v := g.current.Load(); v != nil && !v.at.Before(notBefore) {
			return v, nil
		}
		f, mine := g.board()
		if mine {
			g.fly(ctx, f)
		}
		select {
		case <-f.landed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if f.err != nil {
			return nil, f.err
		}
	}
}

// board joins the GET under way, or makes the caller the one who sends the next.
func (g *gate) board() (f *flight, mine bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.flight != nil {
		return g.flight, false
	}
	g.flight = &flight{landed: make(chan struct{})}
	return g.flight, true
}

const pointerTimeout = 5 * time.Second

func (g *gate) fly(ctx context.Context, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, pointerTimeout)
	defer cancel()
	var known state.Held
	if v := g.current.Load(); v != nil {
		known = v.held
	}
	at := time.Now()
	held, err := g.pointer.Current(ctx, known)
	if err == nil && held.Exists() && (held.Fence.CacheMS <= 0 || held.Fence.AttemptMS <= 0) {
		err = fmt.Errorf("current.json sets no fence: cache_ms %d, attempt_ms %d", held.Fence.CacheMS, held.Fence.AttemptMS)
	}
	g.land(f, &view{held: held, at: at}, err)
}

func (g *gate) land(f *flight, v *view, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err != nil && !g.failing:
		g.log.Warn("cannot read the pointer; tasks wait", zap.Error(err))
	case err == nil && g.failing:
		g.log.Info("the pointer can be read again")
	}
	g.failing = err != nil
	if err == nil {
		g.announce(v)
		g.current.Store(v)
	}
	g.flight, f.err = nil, err
	close(f.landed)
}

// fails says that the pointer could not be read the last time.
func (g *gate) fails() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failing
}

// announce logs a change of the run in force.
func (g *gate) announce(v *view) {
	old := g.current.Load()
	if p := v.held.Pointer; old == nil || old.held.Run != p.Run || old.held.State != p.State {
		g.log.Info("run in force", zap.String("run", p.Run), zap.Int64("generation", p.Generation), zap.String("state", string(p.State)))
	}
}
