package tracker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// session is what one call of Run knows. One goroutine owns it.
type session struct {
	*Tracker
	pointer    state.PointerSnapshot
	changed    time.Time   // when the pointer was first seen as it is
	own        bool        // this session wrote the pointer as it is
	plan       *state.Plan // the zero plan when the run has none, or it is lost
	missed     string      // the error of the last step, when an object that it needs is gone or damaged
	lost       string      // why the plan that the run must have cannot be read; "" when it can
	ledger     *Ledger     // of the run in force, as it was last read or saved
	progressed time.Time   // when a result of the run last came, or its tasks were published
	asked      time.Time   // when the tasks queue was last asked whether it is empty
	warned     time.Time   // the value of progressed when it was last said that no result comes
	settled    string      // the Writer of the ended pointer whose report is written
	runs       *knownRuns

	drained    string        // the run whose queues were emptied while it was verified
	letters    *question     // to the dead-letter queue; nil when its answer has been taken in
	askLetters time.Time     // when it is asked again
	noted      time.Time     // when it was last written down that other environments use the queues
	troubled   time.Time     // when a trouble was last written into the pointer; noteTrouble sets it
	awakened   time.Time     // when the last message of keepAwake was sent
	awake      string        // its body; keepAwake sets both
	found      bool          // the first look found the run in verifying, and this session has not noted that yet
	skipped    bool          // the last step of a running run did not receive
	yields     int           // steps in a row that gave nothing but their messages
	closed     *state.Status // of the run in force, when this session has ended it and its report says all that is known; else nil
}

func newSession(t *Tracker) *session {
	return &session{Tracker: t, changed: time.Now(), plan: &state.Plan{}, ledger: NewLedger("", 0, 0), runs: newKnownRuns(t.Store)}
}

// step looks at the pointer, takes in what has come, and does what the run needs. done says that
// Run has nothing more to do.
func (s *session) step(ctx context.Context) (done bool, err error) {
	if err := s.look(ctx); err != nil {
		return false, err
	}
	if s.Options.UntilDone && s.ended() {
		// The last results of a run that was stopped, and letters of tasks that are done, are still
		// on their way.
		if s.drained != s.pointer.Run || s.letters != nil {
			if err := s.drain(ctx, true); err != nil {
				return false, err
			}
		}
		return true, s.settle(ctx)
	}
	took, err := s.takeIn(ctx)
	if err == nil && ctx.Err() == nil {
		err = s.act(ctx, took == 0)
	}
	s.progress()
	return s.Options.UntilDone && s.closed != nil, err
}

func (s *session) progress() {
	if s.Options.Progress != nil && s.pointer.Exists() {
		s.Options.Progress(s.status())
	}
}

// ended says that the run in force is over. One in review waits for its apply.
func (s *session) ended() bool {
	return s.pointer.Exists() && !s.pointer.State.Active() && s.pointer.State != state.Review
}

func (s *session) status() state.Status {
	p := s.ledger.Progress()
	p.Age = time.Since(s.progressed)
	return state.StatusOf(s.pointer, p, s.plan)
}

// look reads the pointer, and what belongs to its run when it has changed.
func (s *session) look(ctx context.Context) error {
	now, err := s.Store.Current(ctx, s.pointer)
	if err != nil || now.Writer == s.pointer.Writer {
		return err
	}
	s.found = s.pointer.Run == "" && now.State == state.Verifying
	return s.follow(ctx, now, false)
}

// follow makes the session go by the pointer as it is now, with what belongs to its run.
func (s *session) follow(ctx context.Context, now state.PointerSnapshot, own bool) error {
	plan, lost, err := s.readPlanOf(ctx, now)
	if err != nil {
		return err
	}
	// A redrive records its round in the ledger before it changes the pointer, so the ledger is
	// read again here.
	ledger := NewLedger(now.Run, now.Generation, now.Tasks)
	if plan.Run != "" {
		ledger, err = readLedger(ctx, s.Store, plan.Run, plan.Generation, plan.Tasks)
	} else if lost != "" {
		ledger, err = readLedger(ctx, s.Store, now.Run, now.Generation, now.Tasks)
	}
	if err != nil {
		return err
	}
	s.plan, s.lost, s.ledger = plan, lost, ledger
	s.goBy(now, own)
	return nil
}

// goBy makes the session go by the pointer as it is now. The plan is of its run, and the ledger as
// it was last read.
func (s *session) goBy(now state.PointerSnapshot, own bool) {
	if now.State != s.pointer.State || now.Run != s.pointer.Run {
		s.progressed = time.Now()
		s.log().Info("run "+string(now.State), zap.String("run", now.Run), zap.String("reason", now.Reason), zap.Int("tasks", now.Tasks))
	}
	changes := now.State != s.pointer.State
	s.pointer, s.changed, s.own, s.closed = now, time.Now(), own, nil
	s.runs.held = now.Pointer
	if changes {
		s.progress() // verifying takes a while, within one step
	}
}

// readLedger reads the ledger of the run in force again.
func (s *session) readLedger(ctx context.Context) error {
	if s.plan.Run == "" {
		return nil // it has none, or what is known of it is what has come
	}
	ledger, err := readLedger(ctx, s.Store, s.plan.Run, s.plan.Generation, s.plan.Tasks)
	if err == nil {
		s.ledger = ledger
	}
	return err
}

// readPlanOf reads the plan of the run that the pointer names, and says why when it must have one
// and has not. One answer that there is none, or that it is damaged, is not believed.
func (s *session) readPlanOf(ctx context.Context, now state.PointerSnapshot) (plan *state.Plan, lost string, err error) {
	planned := now.Tasks > 0 || now.State == state.Publishing || now.State == state.Succeeded || now.State == state.Review
	if !planned {
		plan, err = readPlan(ctx, s.Store, now.Run)
		return plan, "", err
	}
	name := state.RunName(now.Run, "plan.json")
	for range 2 {
		plan, err = s.Store.ReadPlan(ctx, now.Run)
		if err == nil && (plan.Generation != now.Generation || plan.Tasks != now.Tasks && now.Tasks > 0) {
			err = fmt.Errorf("read %s: %w: it has generation %d and %d tasks, and the pointer %d and %d",
				name, state.ErrDamaged, plan.Generation, plan.Tasks, now.Generation, now.Tasks)
		}
		if err == nil {
			return plan, "", nil
		}
	}
	switch {
	case errors.Is(err, state.ErrDamaged):
		return &state.Plan{}, err.Error(), nil
	case !errors.Is(err, bucket.ErrNotFound):
		return nil, "", err
	}
	listed, listErr := s.Store.Names(ctx, name)
	if listErr != nil || len(listed) > 0 {
		return nil, "", errors.Join(err, listErr) // it is there
	}
	return &state.Plan{}, "its plan, " + s.Store.Layout.State() + name + ", is gone", nil
}

// readPlan reads a run's plan; the zero plan when it has none, because it is still being planned or
// that failed.
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

// swap changes the pointer of the run in force. Its error is ErrConflict when somebody else has.
// The ledger is not read again.
func (s *session) swap(ctx context.Context, change func(*state.Pointer)) error {
	next := s.pointer.Pointer
	change(&next)
	pointer, err := s.Store.Swap(ctx, s.pointer, next)
	if err != nil {
		return err
	}
	s.goBy(pointer, true)
	return nil
}

// act does what the state of the run in force asks for. idle says that no message came in this
// step.
//
//	planning    unchanged for Stall: ended as failed
//	publishing  too many dead: halted · all accounted for and its planner gone: verified · unchanged for Stall: published to the end
//	running     too many dead: halted · all accounted for: verified · stalled: the open tasks published again
//	verifying   by this tracker, or by one that seems gone: verified
//	ended       its report made to agree with the pointer
//
// A run that needs an object of its own which is gone or damaged, by two tries, ends as failed with
// that reason.
func (s *session) act(ctx context.Context, idle bool) error {
	err := s.actOn(ctx, idle)
	if !state.Lost(err) || !s.pointer.State.Active() {
		s.missed = ""
		return err
	}
	if s.missed != err.Error() {
		s.missed = err.Error()
		return err
	}
	return s.fail(ctx, s.missed+"; run shuffle plan, which plans what is still to do")
}

func (s *session) actOn(ctx context.Context, idle bool) error {
	unchanged := time.Since(s.changed)
	accounted := s.ledger.Open().IsEmpty()
	if s.lost != "" && s.pointer.State.Active() {
		// Nothing can be published again, and nothing verified: without the plan to compare with
		// there is no success.
		return s.fail(ctx, s.lost+": without it the run cannot be verified; run shuffle plan, which plans what is still to do")
	}
	switch s.pointer.State {
	case state.Planning:
		if unchanged >= s.stall() {
			return s.fail(ctx, "the planner died while planning; run shuffle plan again")
		}
	case state.Publishing:
		switch {
		case s.tooManyDead():
			return s.halt(ctx)
		case s.pointer.Tasks > 0 && accounted && unchanged >= min(patience, s.stall()):
			return s.conclude(ctx)
		case unchanged >= s.stall():
			return s.publish(ctx)
		}
	case state.Running:
		switch {
		case s.tooManyDead():
			return s.halt(ctx)
		case accounted:
			return s.conclude(ctx)
		default:
			return s.unstall(ctx)
		}
	case state.Verifying:
		if s.own || unchanged >= patience {
			s.noteTakeover(ctx)
			return s.verify(ctx)
		}
	default:
		if s.ended() && idle {
			return s.settle(ctx)
		}
	}
	return nil
}

// conclude goes on to the verification when every task is accounted for.
func (s *session) conclude(ctx context.Context) error {
	// What the dead-letter queue still holds belongs to the dead list that the report shows. With
	// no dead task there is no such list, and letters of tasks that are done are not waited for.
	if !s.ledger.Dead().IsEmpty() {
		if err := s.drain(ctx, false); err != nil {
			return err
		}
		if !s.ledger.Open().IsEmpty() {
			return nil
		}
	}
	if err := s.swap(ctx, func(p *state.Pointer) { p.State = state.Verifying }); err != nil {
		return err
	}
	return s.verify(ctx) // which reads the ledger
}

func (s *session) tooManyDead() bool {
	dead := int(s.ledger.Dead().GetCardinality())
	return dead > minDead && s.Options.MaxDead.Exceeded(dead, s.pointer.Tasks)
}

// halt ends a run with too many dead tasks. The pointer comes first: it is what stops the workers.
func (s *session) halt(ctx context.Context) error {
	dead, err := deadList(ctx, s.Store, s.ledger)
	if err != nil {
		return err
	}
	code, n := commonest(dead)
	then := "fix that, then: shuffle redrive " + s.pointer.Run
	if advice.SourceGone(codes(dead)) {
		then = "fix that, then: shuffle plan, which does without the source images that are gone"
	}
	return s.fail(ctx, fmt.Sprintf(
		"halted: %d of %d tasks are dead, more than %s (--max-dead, SHUFFLE_MAX_DEAD) allows; most by %s (%d), see shuffle dead %s; %s",
		len(dead), s.pointer.Tasks, s.Options.MaxDead, code, n, s.pointer.Run, then))
}

// fail ends the run, then writes its report; a crash in between is mended by settle.
func (s *session) fail(ctx context.Context, reason string) error {
	err := s.swap(ctx, func(p *state.Pointer) {
		p.State, p.Reason, p.Finished = state.Failed, reason, now()
	})
	if err != nil {
		return err
	}
	if err := s.readLedger(ctx); err != nil {
		return err
	}
	return s.settle(ctx)
}

// publish finishes a publication that its planner has left.
func (s *session) publish(ctx context.Context) error {
	s.log().Info("finishing the publication that its planner left", zap.String("run", s.pointer.Run),
		zap.Int("chunks_sent", s.pointer.Published), zap.Int("chunks", state.Chunks(s.pointer.Tasks)))
	var pointer state.PointerSnapshot
	var err error
	if s.pointer.Tasks == 0 {
		pointer, err = s.FinishEmpty(ctx, s.pointer, s.plan)
	} else {
		pointer, err = state.Publish(ctx, s.Store, s.pointer, s.Tasks)
	}
	if err != nil {
		return fmt.Errorf("finish the publication of run %s: %w", s.pointer.Run, err)
	}
	return s.follow(ctx, pointer, true)
}

// now is the present as the state keeps times.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
