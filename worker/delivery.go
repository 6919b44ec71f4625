package worker

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/retry"
	"github.com/angel-nft/google-shuffle/messages"
)

// delivery is one received message, from its receive until process returns.
type delivery struct {
	msg      queue.Message
	received time.Time // just after the receive
	number   int64     // in the order of the receives
	extended time.Time // when the visibility timeout last began; guarded by inFlight.mu

	task    messages.Task // set by parse
	invalid error         // set by parse: errProbe, errNotOurs or a *rejectedError

	etag   string // set by copy: the destination's ETag
	copied string // set by copy: the ETag of the source that was copied

	disposition disposition // set by conclude
}

// disposition is what happens to a delivery in the end.
type disposition struct {
	action  action
	outcome messages.Outcome // of a task that is done or dead
	code    string           // why the task is dead, or the message rejected
	reason  string
	delay   time.Duration // of a returned message: until it is visible again
}

type action uint8

const (
	done     action = iota // the task is applied or superseded: send the result, acknowledge
	dead                   // the task cannot be applied: dead-letter queue, result, acknowledge
	rejected               // the message is no task of this program: dead-letter queue, acknowledge
	ignored                // the message is a probe: acknowledge
	returned               // back to the tasks queue
)

// rejectedError is why a message must not be obeyed.
type rejectedError struct {
	code string
	err  error
}

func (e *rejectedError) Error() string { return e.err.Error() }
func (e *rejectedError) Unwrap() error { return e.err }

// waitedError: the state could not be read for as long as a delivery may wait, or it was behind the
// task. It does not unwrap: its cause is no answer to a request of the task, and must not be
// classified as one.
type waitedError struct{ cause error }

func (e *waitedError) Error() string {
	return "the state does not show the task's run: " + e.cause.Error()
}

var (
	// errStopping: the worker is being shut down before the task is applied.
	errStopping = errors.New("the worker is stopping")
	// errProbe: shuffle doctor tries the queue.
	errProbe = errors.New("the message is a probe")
	// errNotOurs: the task is of another environment, which shares the queues by mistake.
	errNotOurs = errors.New("the task is of another environment")
)

// parse reads the message as a task of this environment, or finds out why it is none.
func (w *Worker) parse(d *delivery) {
	var err error
	switch d.task, err = messages.ParseTask(d.msg.Body); {
	case err != nil && messages.IsProbe(d.msg.Body):
		d.invalid = errProbe
	case err != nil:
		d.invalid = &rejectedError{code: messages.CodeUnreadable, err: err}
	case messages.OtherScope(w.cfg.Scope, d.task.Scope):
		d.invalid = errNotOurs // before its keys are checked, which belong to another bucket
	default:
		if err := d.task.Check(w.cfg.Layout); err != nil {
			d.invalid = &rejectedError{code: messages.CodeForbidden, err: err}
		}
	}
}

// foreign: the message is another environment's.
func (d *delivery) foreign() bool { return errors.Is(d.invalid, errNotOurs) }

// keys is the number of keys that the task deletes.
func (d *delivery) keys() int { return len(d.task.Del) }

// conclude decides what happens to the delivery, and counts and logs it. err is what its steps came
// to.
func (w *Worker) conclude(d *delivery, err error) {
	if errors.Is(err, errNotOurs) {
		d.invalid = errNotOurs // for a task of which admit found it out
		w.others.record(&d.task)
	}
	d.disposition = d.dispose(err, w.maxReceives, w.outage.any(time.Now()))
	w.count.concluded(d)
	if line := w.log.Check(zap.DebugLevel, "task"); line != nil {
		line.Write(zap.String("run", d.task.Run), zap.Uint32("seq", d.task.Seq), zap.String("frame", string(d.task.Frame)),
			zap.String("op", string(d.task.Op)), zap.String("outcome", string(d.disposition.outcome)),
			zap.Int("attempts", d.msg.ReceiveCount), zap.Duration("return", d.disposition.delay), zap.Error(err))
	}
}

// dispose is the disposition of a delivery whose steps came to err. outage: the bucket does not
// answer.
func (d *delivery) dispose(err error, maxReceives int, outage bool) disposition {
	// The queue grants no receive after this one: its redrive policy would take the message away,
	// without a reason.
	last := d.msg.ReceiveCount >= maxReceives
	kind, code := classify(err)
	var bad *rejectedError
	var waited *waitedError
	switch {
	case err == nil:
		return disposition{action: done, outcome: d.task.Op.Done()}
	case errors.Is(err, errSuperseded):
		return disposition{action: done, outcome: messages.Superseded}
	case errors.Is(err, errStopping):
		return disposition{action: returned}
	case errors.Is(err, errProbe):
		return disposition{action: ignored}
	case errors.Is(err, errNotOurs) && last:
		// The code makes the task's own tracker put it back. Without one the task would count as
		// dead.
		return disposition{action: rejected, code: messages.CodeNotOurs,
			reason: "workers of another environment have received it as often as the queue grants"}
	case errors.Is(err, errNotOurs):
		return disposition{action: returned, delay: queue.OwnerDelay(d.msg.ReceiveCount)}
	case errors.Is(err, errNotPlanned):
		return disposition{action: rejected, code: messages.CodeNotPlanned, reason: fmt.Sprintf("%v: seq %d", err, d.task.Seq)}
	case errors.Is(err, errOutside):
		return disposition{action: rejected, code: messages.CodeForbidden, reason: fmt.Sprintf("%v: seq %d", err, d.task.Seq)}
	case errors.As(err, &bad):
		return disposition{action: rejected, code: bad.code, reason: err.Error()}
	case (errors.As(err, &waited) || kind == transient && outage) && last:
		// The task waits for the bucket or the pointer. Nothing is wrong with it, so its tracker
		// puts it back.
		return disposition{action: rejected, code: messages.CodePostponed, reason: err.Error()}
	case kind != permanent && !last:
		return disposition{action: returned, delay: retryDelay(d.msg.ReceiveCount)}
	}
	return disposition{action: dead, outcome: messages.Dead, code: code, reason: err.Error()}
}

// retryDelay is the backoff of a message that goes back to the queue: up to 1 s · 2^receives, at
// most a minute, in whole seconds because SQS counts so.
func retryDelay(receives int) time.Duration {
	return retry.Backoff(time.Second, receives, time.Minute).Truncate(time.Second) + time.Second
}

// result is the delivery's line in a results message.
func (d *delivery) result() messages.Result {
	r := messages.Result{Seq: d.task.Seq, Outcome: d.disposition.outcome, Attempts: d.msg.ReceiveCount, Round: d.task.Round}
	switch {
	case r.Outcome == messages.Dead:
		r.Code, r.Error = plain(d.disposition.code, maxCode), plain(d.disposition.reason, maxReason)
	case r.Outcome.IsDone():
		r.ETag = plain(d.etag, maxReason)
		if d.etag != d.task.SrcETag {
			// The source changed after the plan, or the copy has an ETag of its own (KMS,
			// multipart). Only the pair of ETags shows which content the copy has.
			r.SrcETag = plain(d.copied, maxReason)
		}
	}
	return r
}
