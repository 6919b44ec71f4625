package tracker

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// runInForce is the run that the pointer names, as one session knows it.
type runInForce struct {
	// loadRun reads these four. swapPointer replaces the pointer alone, writeNote the pointer's
	// note. checkpointRun and republishStalled replace the ledger by the one that they have saved,
	// reloadLedger by the saved one.
	pointer  state.PointerSnapshot
	plan     *state.Plan // the zero plan when the run has none, or it is lost
	planLost string      // why the plan that the run must have cannot be read; "" when it can
	ledger   *Ledger

	// adoptRun sets these three.
	adopted time.Time // when the session began to act on the pointer
	written bool      // the session wrote the pointer itself
	// progressed is when the run changed its state, when checkpointRun last saved results, or when
	// republishStalled last published tasks.
	progressed time.Time
}

// hasEnded reports whether the run is over. One in review waits for its apply.
func (r *runInForce) hasEnded() bool {
	return r.pointer.Exists() && !r.pointer.State.Active() && r.pointer.State != state.Review
}

func (r *runInForce) tooManyDead(limit rows.Limit) bool {
	dead := int(r.ledger.Dead().GetCardinality())
	return dead > minDead && limit.Exceeded(dead, r.pointer.Tasks)
}

// readPointer reads the pointer, and loads its run when it has changed.
func (s *session) readPointer(ctx context.Context) error {
	pointer, err := s.Store.Current(ctx, s.run.pointer)
	if err != nil || pointer.Writer == s.run.pointer.Writer {
		return err
	}
	s.notes.takeover = s.run.pointer.Run == "" && pointer.State == state.Verifying
	return s.loadRun(ctx, pointer, false)
}

// loadRun reads what belongs to the run of a pointer, and adopts both.
func (s *session) loadRun(ctx context.Context, pointer state.PointerSnapshot, written bool) error {
	run, err := readRun(ctx, s.Store, pointer)
	if err != nil {
		return err
	}
	s.adoptRun(run, written)
	return nil
}

// swapPointer changes the pointer of the run in force. Its error is ErrConflict after another
// process's change. The plan and the ledger stay.
func (s *session) swapPointer(ctx context.Context, change func(*state.Pointer)) error {
	next := s.run.pointer.Pointer
	change(&next)
	pointer, err := s.Store.Swap(ctx, s.run.pointer, next)
	if err != nil {
		return err
	}
	s.adoptPointer(pointer)
	return nil
}

// adoptPointer makes the session act on a pointer that it has just written.
func (s *session) adoptPointer(pointer state.PointerSnapshot) {
	run := s.run
	run.pointer = pointer
	s.adoptRun(run, true)
}

// adoptRun makes the session act on a run, and on no other.
func (s *session) adoptRun(run runInForce, written bool) {
	pointer, before := run.pointer, s.run.pointer
	run.adopted, run.written, run.progressed = time.Now(), written, s.run.progressed
	if pointer.State != before.State || pointer.Run != before.Run {
		run.progressed = time.Now()
		s.log().Info("run "+string(pointer.State), zap.String("run", pointer.Run), zap.String("reason", pointer.Reason), zap.Int("tasks", pointer.Tasks))
	}
	s.run, s.final, s.runs.pointer = run, nil, pointer.Pointer
	if pointer.State != before.State {
		s.showProgress() // verifying takes a while, within one step
	}
}

// reloadLedger reads the ledger of the run in force again. A run without a plan has no ledger in
// the bucket to rely on: there what has come is all that is known.
func (s *session) reloadLedger(ctx context.Context) error {
	if s.run.plan.Run == "" {
		return nil
	}
	ledger, err := readLedger(ctx, s.Store, s.run.plan.Run, s.run.plan.Generation, s.run.plan.Tasks)
	if err == nil {
		s.run.ledger = ledger
	}
	return err
}

// readRun reads the plan and the ledger of the run that a pointer names.
func readRun(ctx context.Context, store *state.Store, pointer state.PointerSnapshot) (runInForce, error) {
	plan, lost, err := readPlanOf(ctx, store, pointer)
	if err != nil {
		return runInForce{}, err
	}
	// A redrive records its round in the ledger before it changes the pointer, so the ledger is
	// read after the pointer.
	ledger := NewLedger(pointer.Run, pointer.Generation, pointer.Tasks)
	if plan.Run != "" {
		ledger, err = readLedger(ctx, store, plan.Run, plan.Generation, plan.Tasks)
	} else if lost != "" {
		ledger, err = readLedger(ctx, store, pointer.Run, pointer.Generation, pointer.Tasks)
	}
	return runInForce{pointer: pointer, plan: plan, planLost: lost, ledger: ledger}, err
}

// readPlanOf reads the plan of the run that a pointer names. lost is why the plan that the run must
// have cannot be read.
func readPlanOf(ctx context.Context, store *state.Store, pointer state.PointerSnapshot) (plan *state.Plan, lost string, err error) {
	planned := pointer.Tasks > 0 || pointer.State == state.Publishing || pointer.State == state.Succeeded || pointer.State == state.Review
	if !planned {
		plan, err = readPlan(ctx, store, pointer.Run)
		return plan, "", err
	}
	plan, err = store.PlanInForce(ctx, pointer.Pointer)
	switch {
	case errors.Is(err, bucket.ErrNotFound):
		return &state.Plan{}, "its plan, " + store.Layout.State() + state.RunName(pointer.Run, "plan.json") + ", is gone", nil
	case errors.Is(err, state.ErrDamaged):
		return &state.Plan{}, err.Error(), nil
	}
	return plan, "", err
}

// readPlan reads a run's plan. It returns the zero plan for a run without one, which is being
// planned or whose planning has failed.
func readPlan(ctx context.Context, store *state.Store, run string) (*state.Plan, error) {
	if !state.ValidRun(run) {
		return &state.Plan{}, nil
	}
	plan, err := store.ReadPlan(ctx, run)
	if errors.Is(err, bucket.ErrNotFound) {
		return &state.Plan{}, nil
	}
	return plan, err
}
