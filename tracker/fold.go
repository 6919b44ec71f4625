package tracker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Bounds of what is kept of a message's texts, in bytes: every line that is written must be short
// enough to be read again.
const (
	maxCode   = 256
	maxReason = 4096
)

// clip returns the first bytes of a text, as valid UTF-8.
func clip(s string, most int) string { return strings.ToValidUTF8(s[:min(len(s), most)], "") }

// delta is what a fold adds to one run.
type delta struct {
	run    *knownRun
	part   string // the name of its pairs in the bucket, drawn once, so that saving it again overwrites itself
	ledger *Ledger
	dead   []state.DeadTask
	pairs  []state.TaskPair
}

// fold sorts messages by what they report of their runs. Its methods fail only when the bucket
// does; a message without sense is unreadable.
type fold struct {
	runs  *knownRuns
	awake string // the body of the message that keeps the tracker awake, see keepAwake; "": there is none

	// foldAll sets all of these.
	deltas     map[string]*delta // by run
	unreadable []state.Unreadable
	republish  []queue.Entry                     // tasks that workers could not apply, through no fault of the task
	results    []messages.Results                // of this environment
	own        received                          // messages to acknowledge
	foreign    received                          // messages of other environments
	others     map[string]state.OtherEnvironment // by scope
	complete   bool                              // every message has been folded
}

// foldAll folds what was received, once. When the bucket fails half-way, the next call begins
// afresh.
func (f *fold) foldAll(ctx context.Context, got received) error {
	if f.complete {
		return nil
	}
	*f = fold{runs: f.runs, awake: f.awake, deltas: map[string]*delta{}, others: map[string]state.OtherEnvironment{}}
	for _, part := range []struct {
		messages     []queue.Message
		own, foreign *[]queue.Message
		fold         func(context.Context, queue.Message) error
	}{
		{got.results, &f.own.results, &f.foreign.results, f.foldResults},
		{got.deadLetters, &f.own.deadLetters, &f.foreign.deadLetters, f.foldDeadLetter},
	} {
		for _, m := range part.messages {
			switch err := part.fold(ctx, m); {
			case errors.Is(err, errStaysInFlight): // keepAwake needs it on the queue
			case errors.Is(err, errNotOurs):
				*part.foreign = append(*part.foreign, m)
			case err != nil:
				return err
			default:
				*part.own = append(*part.own, m)
			}
		}
	}
	f.complete = true
	return nil
}

func (f *fold) delta(r *knownRun) *delta {
	d := f.deltas[r.name]
	if d == nil {
		d = &delta{run: r, part: rand.Text(), ledger: NewLedger(r.name, r.generation, r.tasks)}
		f.deltas[r.name] = d
	}
	return d
}

// reject keeps a message as unreadable when the error is the message's own. It returns any other
// error.
func (f *fold) reject(from string, m queue.Message, err error) error {
	if !errors.Is(err, messages.ErrUnreadable) && !errors.Is(err, errUnknown) && !errors.Is(err, errRefused) {
		return err
	}
	f.unreadable = append(f.unreadable, newUnreadable(from, m, err.Error()))
	return nil
}

// errStaysInFlight means that a message is neither acknowledged nor given back.
var errStaysInFlight = errors.New("the message stays in flight")

// foldResults folds a message of the results queue.
func (f *fold) foldResults(ctx context.Context, m queue.Message) error {
	if f.awake != "" && m.Body == f.awake {
		return errStaysInFlight
	}
	if messages.IsProbe(m.Body) {
		return nil // of shuffle doctor
	}
	results, err := messages.ParseResults(m.Body)
	if err != nil {
		return f.reject(fromResults, m, err)
	}
	run, err := f.runOf(ctx, origin{results.Scope, results.Run, fromResults}, results.Gen, m)
	if err != nil {
		return f.reject(fromResults, m, err)
	}
	f.results = append(f.results, results)
	d := f.delta(run)
	d.ledger.RecordArrival(now())
	var refused error
	for _, r := range results.Results {
		if err := d.ledger.Add(r.Seq, r.Outcome, r.Round); err != nil {
			refused = err // the other results of the message count
			continue
		}
		if err := f.foldDetails(ctx, d, results.Worker, r); err != nil {
			return err
		}
	}
	if refused != nil {
		return f.reject(fromResults, m, refused)
	}
	return nil
}

// foldDetails keeps what the ledger does not: why a task is dead, and the ETags of a copy that are
// not the planned ones.
func (f *fold) foldDetails(ctx context.Context, d *delta, worker string, r messages.Result) error {
	switch {
	case r.Outcome == messages.Dead:
		task, err := f.runs.task(ctx, d.run, r.Seq)
		if errors.Is(err, errUnknown) {
			// Its chunk is gone from the bucket: the reason is worth keeping all the same.
			task, err = messages.Task{V: messages.Version, Run: d.run.name, Gen: d.run.generation, Seq: r.Seq}, nil
		}
		if err != nil {
			return err
		}
		d.dead = append(d.dead, state.DeadTask{
			Task: task, Code: clip(r.Code, maxCode), Reason: clip(r.Error, maxReason), Attempts: r.Attempts, Worker: clip(worker, maxCode), Round: r.Round,
		})
	case r.Outcome.IsDone() && r.SrcETag != "" && r.ETag != "" && max(len(r.ETag), len(r.SrcETag)) <= maxCode:
		d.pairs = append(d.pairs, state.TaskPair{
			Pair: state.Pair{ETag: r.ETag, SrcETag: r.SrcETag}, Seq: r.Seq, Attempts: r.Attempts,
		})
	}
	return nil
}

// foldDeadLetter folds a message of the dead-letter queue: a task that a worker gave up, or that
// the queue's redrive policy moved there; or anything else.
func (f *fold) foldDeadLetter(ctx context.Context, m queue.Message) error {
	if messages.IsProbe(m.Body) {
		return nil // of shuffle doctor
	}
	task, run, err := f.plannedTask(ctx, m)
	if err != nil {
		return f.reject(fromDeadLetters, m, err)
	}
	if code := m.Attributes[messages.AttrCode]; code == messages.CodeNotOurs || code == messages.CodePostponed {
		// Nothing is wrong with the task.
		f.republish = append(f.republish, queue.Entry{Body: m.Body})
		return nil
	}
	d := f.delta(run)
	if err := d.ledger.Add(task.Seq, messages.Dead, task.Round); err != nil {
		return f.reject(fromDeadLetters, m, err)
	}
	d.ledger.RecordArrival(now())
	d.dead = append(d.dead, deadTaskOf(m, task))
	return nil
}

// plannedTask returns the task in a message's body, which must be exactly a task of its run's plan.
func (f *fold) plannedTask(ctx context.Context, m queue.Message) (messages.Task, *knownRun, error) {
	task, err := messages.ParseTask(m.Body)
	if err != nil {
		return task, nil, err
	}
	run, err := f.runOf(ctx, origin{task.Scope, task.Run, fromDeadLetters}, task.Gen, m)
	if err != nil {
		return task, nil, err
	}
	want, err := f.runs.task(ctx, run, task.Seq)
	if err == nil && !task.Same(want) {
		err = fmt.Errorf("%w: seq %d of run %s was planned otherwise", errUnknown, task.Seq, task.Run)
	}
	return task, run, err
}

// deadTaskOf is the dead task in a message of the dead-letter queue.
func deadTaskOf(m queue.Message, task messages.Task) state.DeadTask {
	d := state.DeadTask{
		Code: clip(m.Attributes[messages.AttrCode], maxCode), Reason: clip(m.Attributes[messages.AttrReason], maxReason),
		Worker: clip(m.Attributes[messages.AttrWorker], maxCode), Round: task.Round,
	}
	// 0, unknown, when it is no number.
	d.Attempts, _ = strconv.Atoi(m.Attributes[messages.AttrAttempts])
	d.Task, d.Task.Round = task, 0
	if d.Reason == "" {
		// The count of a message that the redrive policy moved is of its receives on both queues.
		d.Attempts = max(d.Attempts, m.ReceiveCount-1)
		d.Reason = fmt.Sprintf("received %d times without a result: its worker died or was cut off each time", d.Attempts)
	}
	return d
}
