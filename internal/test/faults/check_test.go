package faults_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// maxTries is the number of times that the operator may have to follow the program's advice after
// the last fault.
const maxTries = 6

// letGo allows the deletion of frames whose rows are lost, when the program has held their episode
// because of it.
func (w *world) letGo(ctx context.Context) error {
	if len(w.lost) == 0 {
		return nil
	}
	var plan state.Plan
	code, err := w.command(ctx, &plan, "plan", "--json")
	if err != nil {
		return err
	}
	episode := string(w.lost[0].Episode())
	held := plan.Held()
	if code != 1 || len(held) != 1 || held[0].Season+held[0].Episode != episode || held[0].Cause != state.CauseDeletions || !strings.Contains(held[0].Reason, "--allow-delete "+episode) {
		return fmt.Errorf("%d rows are lost: exit code %d, held %+v", len(w.lost), code, held)
	}
	if _, err := w.ended(ctx); err != nil {
		return err
	}
	w.audit.MayGo(w.lost...)
	w.front.Event("%d frames may go", len(w.lost))
	_, err = w.command(ctx, nil, "plan", "--json", "--allow-delete", episode)
	if err != nil {
		return err
	}
	_, err = w.ended(ctx)
	return err
}

// check checks the world against the guarantees after the end.
func (w *world) check(ctx context.Context) error {
	w.mu.Lock()
	broken := w.failure
	w.mu.Unlock()
	differences, err := w.differences(ctx)
	if err == nil && len(differences) > 0 {
		err = fmt.Errorf("the plan is empty, and there are %d differences: %s", len(differences), differences[0])
	}
	err = errors.Join(broken, err, w.runsAddUp(ctx), w.queuesAreEmpty(ctx), w.logsAreSane(), w.recordsAgree(ctx))
	for _, v := range w.audit.Violations() {
		err = errors.Join(err, errors.New(v))
	}
	return err
}

// runsAddUp checks that every run has ended, and that its ledger has each of its tasks once.
func (w *world) runsAddUp(ctx context.Context) error {
	runs, err := w.store.Runs(ctx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		plan, err := w.store.ReadPlan(ctx, run)
		if errors.Is(err, bucket.ErrNotFound) {
			continue // its planner was killed before it had a plan
		}
		if state.Lost(err) && w.wasTouched(run) {
			continue // the pointer shows that it has ended
		}
		if err != nil {
			return err
		}
		s, err := state.ReadStatus(ctx, w.store, run)
		if err != nil {
			return err
		}
		p, err := w.store.ReadProgress(ctx, run, plan.Tasks)
		if err != nil {
			return err
		}
		if w.wasTouched(run) && !s.State.Active() {
			continue // the ledger is damaged and need not add up
		}
		if err := addsUp(plan, s, p); err != nil {
			return fmt.Errorf("run %s (%s): %w", run, s.State, err)
		}
	}
	return nil
}

func addsUp(plan *state.Plan, s state.Status, p state.Progress) error {
	outcomes := 0
	for _, n := range p.Outcomes {
		outcomes += n
	}
	switch {
	case s.State.Active():
		return errors.New("it has not ended")
	case p.Tasks != plan.Tasks || plan.Totals.Tasks() != plan.Tasks:
		return fmt.Errorf("%d tasks in the plan, %d by its totals, %d in the ledger", plan.Tasks, plan.Totals.Tasks(), p.Tasks)
	case p.Done+p.Dead+p.Superseded+p.Open != p.Tasks:
		return fmt.Errorf("%d done, %d dead, %d superseded and %d open are not %d", p.Done, p.Dead, p.Superseded, p.Open, p.Tasks)
	case p.Done+p.Dead+p.Superseded != outcomes:
		return fmt.Errorf("the outcomes %v do not add up to %d", p.Outcomes, p.Done+p.Dead+p.Superseded)
	case s.State == state.Succeeded && (p.Done != p.Tasks || s.Differences > 0):
		return fmt.Errorf("succeeded with %d of %d tasks done and %d differences", p.Done, p.Tasks, s.Differences)
	}
	return nil
}

// queuesAreEmpty waits until invisible and late messages are processed too.
func (w *world) queuesAreEmpty(ctx context.Context) error {
	return until(ctx, "empty queues", 4*visibility+30*time.Second, func(ctx context.Context) (bool, error) {
		for _, q := range w.queues {
			a, err := q.GetQueueAttributes(ctx)
			if err != nil || a.Visible+a.InFlight+a.Delayed > 0 {
				return false, err
			}
		}
		return w.front.Late() == 0, nil
	})
}

// onPointer checks, at the moment when a run becomes succeeded, that the datasets equal the sheets.
// A held episode is an exception, and the run reports it. When a sheet was edited since the run
// began, the plan has the older sheet.
func (w *world) onPointer(p state.Pointer) {
	w.mu.Lock()
	if _, known := w.draft[p.Run]; !known {
		w.draft[p.Run] = w.edits
	}
	edited := w.edits != w.draft[p.Run]
	w.mu.Unlock()
	if p.State != state.Succeeded || edited {
		return
	}
	plan, err := w.store.ReadPlan(w.ctx, p.Run)
	if err != nil || len(plan.Held())+len(plan.Problems) > 0 {
		return // without its plan, the run fails the other checks
	}
	differences, err := w.differences(w.ctx)
	if err == nil && len(differences) > 0 {
		err = fmt.Errorf("run %s is set succeeded with %d differences: %s", p.Run, len(differences), differences[0])
	}
	if w.hands() && (errors.Is(err, state.ErrSettings) || state.Lost(err)) {
		return // the sheets no longer define what the datasets should be
	}
	if err != nil && w.ctx.Err() == nil {
		w.broke(err)
	}
}
