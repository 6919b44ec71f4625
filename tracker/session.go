package tracker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// session is what one call of Run knows. Its goroutine owns it. While verifyRun lists the datasets,
// a second goroutine drains the queues, and changes what drainQueues changes. The comment of a
// field names the step that sets it.
type session struct {
	*Tracker
	run  runInForce // the comments of its fields name the steps
	runs *knownRuns // newSession; adoptRun and writeNote set its pointer

	// Receiving.
	results     backgroundReceiver // receive, drainQueues
	deadLetters backgroundReceiver // receive, drainQueues, scheduleDeadLetters
	skipped     bool               // receiveOnce: the last step did not receive
	foreignOnly int                // leaveToOwners: steps in a row with other environments' messages only
	drainedRun  string             // verifyRun: the run during whose check the queues were drained

	// The run without progress.
	stall stallCheck  // republishStalled
	lost  string      // advanceRun: the last step's error, when an object of the run was lost
	notes notes       // the comments of its fields name the steps
	awake wakeMessage // keepAwake

	// The run's end.
	reported string        // writeReport, confirmReport: the end and the counts in the report
	final    *state.Status // confirmReport: of a report that counts every result; adoptRun clears it
}

func newSession(t *Tracker) *session {
	return &session{
		Tracker: t,
		runs:    &knownRuns{store: t.Store, runs: newCache[string, *knownRun](keptRuns), chunks: newCache[chunkKey, []messages.Task](keptChunks)},
		run:     runInForce{plan: &state.Plan{}, ledger: NewLedger("", 0, 0), adopted: time.Now()},
		results: backgroundReceiver{queue: t.Results}, deadLetters: backgroundReceiver{queue: t.DeadLetters},
	}
}

// step reads the pointer, receives and counts what has come, and does what the run needs next. done
// means that Run has nothing more to do.
func (s *session) step(ctx context.Context) (done bool, err error) {
	if err := s.readPointer(ctx); err != nil {
		return false, err
	}
	if s.Options.UntilDone && s.run.hasEnded() {
		// The last results of a run that was stopped, and dead letters of tasks that are done, may
		// still be on the queues.
		if s.drainedRun != s.run.pointer.Run || s.deadLetters.hasWindow() {
			if err := s.drainQueues(ctx, true); err != nil {
				return false, err
			}
		}
		return true, s.writeReport(ctx)
	}
	received, err := s.receiveOnce(ctx)
	if err == nil && ctx.Err() == nil {
		err = s.advanceRun(ctx, received == 0)
	}
	s.showProgress()
	return s.Options.UntilDone && s.final != nil, err
}

// receiveOnce receives for one window and processes what has come. It returns the number of
// messages of this environment.
func (s *session) receiveOnce(ctx context.Context) (int, error) {
	pointer, accounted := s.run.pointer, s.run.pointer.Tasks > 0 && s.run.ledger.Open().IsEmpty()
	skipped := s.skipped
	s.skipped = false
	switch {
	case accounted && pointer.State == state.Running && !skipped:
		// An empty queue takes a second to answer. The next step receives, so that a run whose
		// verification fails still counts what comes.
		s.skipped = true
		return 0, nil
	case accounted && pointer.State == state.Publishing && time.Since(s.run.adopted) < min(takeoverDelay, s.stallTime()):
		// The planner is about to set the run running, or has died.
		_ = retry.Sleep(ctx, publishedSoon)
		return 0, nil
	}
	begun := time.Now()
	got, err := s.receive(ctx)
	f, failed := s.process(ctx, got, begun)
	s.scheduleDeadLetters(f)
	s.leaveToOwners(ctx, f)
	return f.own.len(), errors.Join(err, failed)
}

// advanceRun does what the state of the run in force requires. idle means that no message came in
// this step.
//
//	planning    unchanged for Stall             ended as failed
//	publishing  too many dead                   halted
//	            all accounted for, planner gone verified
//	            unchanged for Stall             published to the end
//	running     too many dead                   halted
//	            all accounted for               verified
//	            no result for Stall             the open tasks published again
//	verifying   by this tracker, or by another  verified
//	            one that seems to have died
//	ended       the report shows another end    its report written
//	            or other counts
//
// A run fails when an object of its own is missing or damaged in two steps in a row.
func (s *session) advanceRun(ctx context.Context, idle bool) error {
	err := s.advanceOnce(ctx, idle)
	if !state.Lost(err) || !s.run.pointer.State.Active() {
		s.lost = ""
		return err
	}
	if s.lost != err.Error() {
		s.lost = err.Error()
		return err
	}
	return s.failRun(ctx, s.lost+"; run shuffle plan, which plans what is still to do")
}

func (s *session) advanceOnce(ctx context.Context, idle bool) error {
	unchanged := time.Since(s.run.adopted)
	accounted := s.run.ledger.Open().IsEmpty()
	if s.run.planLost != "" && s.run.pointer.State.Active() {
		// Tasks are published again from the plan, and the datasets are compared with it: without
		// the plan no run succeeds.
		return s.failRun(ctx, s.run.planLost+": without it the run cannot be verified; run shuffle plan, which plans what is still to do")
	}
	switch s.run.pointer.State {
	case state.Planning:
		if unchanged >= s.stallTime() {
			return s.failRun(ctx, "the planner died while planning; run shuffle plan again")
		}
	case state.Publishing:
		switch {
		case s.run.tooManyDead(s.Options.MaxDead):
			return s.haltRun(ctx)
		case s.run.pointer.Tasks > 0 && accounted && unchanged >= min(takeoverDelay, s.stallTime()):
			return s.beginVerifying(ctx)
		case unchanged >= s.stallTime():
			return s.finishPublication(ctx)
		}
	case state.Running:
		switch {
		case s.run.tooManyDead(s.Options.MaxDead):
			return s.haltRun(ctx)
		case accounted:
			return s.beginVerifying(ctx)
		default:
			return s.republishStalled(ctx)
		}
	case state.Verifying:
		if s.run.written || unchanged >= takeoverDelay {
			s.writeTakeover(ctx)
			return s.verifyRun(ctx)
		}
	default:
		if s.run.hasEnded() && idle {
			return s.writeReport(ctx)
		}
	}
	return nil
}

// beginVerifying sets a run verifying when every task is accounted for, and verifies it.
func (s *session) beginVerifying(ctx context.Context) error {
	// The report shows the dead list, to which belongs what the dead-letter queue still holds.
	// Without a dead task there is no such list: dead letters of tasks that are done can wait.
	if !s.run.ledger.Dead().IsEmpty() {
		if err := s.drainQueues(ctx, false); err != nil {
			return err
		}
		if !s.run.ledger.Open().IsEmpty() {
			return nil
		}
	}
	if err := s.swapPointer(ctx, func(p *state.Pointer) { p.State = state.Verifying }); err != nil {
		return err
	}
	return s.verifyRun(ctx) // which reads the ledger
}

// haltRun ends a run with too many dead tasks. The pointer changes first: that stops the workers.
func (s *session) haltRun(ctx context.Context) error {
	run := s.run.pointer.Run
	dead, err := deadList(ctx, s.Store, s.run.ledger)
	if err != nil {
		return err
	}
	code, n := commonestCode(dead)
	then := "fix that, then: shuffle redrive " + run
	if advice.SourceGone(countCodes(dead)) {
		then = "fix that, then: shuffle plan, which does without the source images that are gone"
	}
	return s.failRun(ctx, fmt.Sprintf(
		"halted: %d of %d tasks are dead, more than %s (--max-dead, SHUFFLE_MAX_DEAD) allows; most by %s (%d), see shuffle dead %s; %s",
		len(dead), s.run.pointer.Tasks, s.Options.MaxDead, code, n, run, then))
}

// failRun ends the run, then writes its report. When the tracker dies in between, the next one
// writes the report.
func (s *session) failRun(ctx context.Context, reason string) error {
	err := s.swapPointer(ctx, func(p *state.Pointer) {
		p.State, p.Reason, p.Finished = state.Failed, reason, now()
	})
	if err != nil {
		return err
	}
	if err := s.reloadLedger(ctx); err != nil {
		return err
	}
	return s.writeReport(ctx)
}

// finishPublication publishes what a planner that has died left unpublished.
func (s *session) finishPublication(ctx context.Context) error {
	pointer := s.run.pointer
	s.log().Info("finishing the publication that its planner left", zap.String("run", pointer.Run),
		zap.Int("chunks_sent", pointer.Published), zap.Int("chunks", state.Chunks(pointer.Tasks)))
	var err error
	if pointer.Tasks == 0 {
		pointer, err = s.FinishEmpty(ctx, pointer, s.run.plan)
	} else {
		pointer, err = state.Publish(ctx, s.Store, pointer, s.Tasks)
	}
	if err != nil {
		return fmt.Errorf("finish the publication of run %s: %w", s.run.pointer.Run, err)
	}
	return s.loadRun(ctx, pointer, true)
}

// showProgress calls Options.Progress with the status of the run in force.
func (s *session) showProgress() {
	if s.Options.Progress != nil && s.run.pointer.Exists() {
		s.Options.Progress(s.status())
	}
}

func (s *session) status() state.Status {
	p := s.run.ledger.Progress()
	p.Age = time.Since(s.run.progressed)
	return state.StatusOf(s.run.pointer, p, s.run.plan)
}

// now is the present as the state keeps times.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
