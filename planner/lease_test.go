package planner

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// A planner that has lost the pointer publishes nothing and does not write the pointer.
func TestPlannerLosesThePointer(t *testing.T) {
	superseded := func(p *state.Pointer) { p.Generation, p.Run, p.State = p.Generation+1, "other", state.Running }
	cancelled := func(p *state.Pointer) { p.State, p.Reason = state.Cancelled, "by somebody" }
	for _, test := range []struct {
		name   string
		change func(*state.Pointer)
		slow   time.Duration // the delay of the sheet afterwards
	}{
		{"superseded, seen by the heartbeat", superseded, time.Minute},
		{"superseded, seen at the end", superseded, 0},
		{"cancelled, seen by the heartbeat", cancelled, time.Minute},
		{"cancelled, seen at the end", cancelled, 0},
	} {
		bubble(t, test.name, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			w.episode(e1, 3)
			w.sheets.before = func(ctx context.Context, _ string) error {
				w.point(test.change)
				return pause(ctx, test.slow)
			}
			var err error
			took := wait(func() { _, err = w.planner().Plan(context.Background(), Options{}) })
			if !errors.Is(err, state.ErrConflict) {
				t.Errorf("error %v", err)
			}
			if took > w.config.Lease/4 {
				t.Errorf("it took %v to see it", took)
			}
			ptr := w.pointer()
			want := ptr
			test.change(&want)
			want.Generation = ptr.Generation
			if ptr != want || len(w.tasks.bodies()) > 0 {
				t.Errorf("pointer %+v; %d messages", ptr, len(w.tasks.bodies()))
			}
		})
	}
}

// The same holds between the plan and the first message.
func TestPublisherLosesThePointer(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		p := w.planner()
		p.OnPublish = func(*state.Plan) {
			w.point(func(p *state.Pointer) { p.Generation, p.Run, p.State = p.Generation+1, "other", state.Planning })
		}
		_, err := p.Plan(context.Background(), Options{})
		if !errors.Is(err, state.ErrConflict) || !strings.Contains(err.Error(), "see shuffle status") {
			t.Errorf("error %v", err)
		}
		if ptr := w.pointer(); ptr.Run != "other" || ptr.State != state.Planning {
			t.Errorf("pointer %+v", ptr)
		}
	})
}

// A planner goes on after a heartbeat whose response is lost and that cannot be read back. No other
// process leaves a run in planning.
func TestHeartbeatWhoseAnswerIsLost(t *testing.T) {
	for name, slow := range map[string]time.Duration{"seen by the next one": time.Minute, "seen at the end": 4 * time.Second} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t)
			w.manifest("S01", e1)
			w.episode(e1, 30)
			w.sheets.before = func(ctx context.Context, _ string) error {
				w.bucket.failing(func(c call, nth int) error {
					if c.op == "GET" && c.key == pointerKey && nth == 1 {
						return errBroken
					}
					return nil
				})
				w.bucket.losing(pointerKey)
				return pause(ctx, slow)
			}
			plan := w.plan(Options{})
			if plan.Generation != 1 || plan.State != state.Running || w.bucket.lose != "" {
				t.Errorf("plan %+v", plan)
			}
			w.checkSent(plan)
		})
	}
}

// A planner also goes on when a few heartbeats fail.
func TestHeartbeatsThatFail(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		w.sheets.before = func(ctx context.Context, _ string) error {
			w.bucket.failing(func(c call, nth int) error {
				if c.key == pointerKey && nth <= 2 {
					return errBroken
				}
				return nil
			})
			return pause(ctx, time.Minute)
		}
		if plan := w.plan(Options{}); plan.Generation != 1 || plan.State != state.Running {
			t.Errorf("plan %+v", plan)
		}
	})
}

// A lease of 0 counts as a very short lease.
func TestNoLease(t *testing.T) {
	inBubble(t, 30, func(t *testing.T, w *world) {
		w.config.Lease = 0
		w.leave(state.Planning)
		if plan := w.plan(Options{}); plan.Generation != 42 || plan.State != state.Running {
			t.Errorf("plan %+v", plan)
		}
	})
}
