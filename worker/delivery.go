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

// disposition is how the processing of a delivery ends.
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

// rejectedError is the reason why the worker does not apply a message.
type rejectedError struct {
	code string
	err  error
}

func (e *rejectedError) Error() string { return e.err.Error() }
func (e *rejectedError) Unwrap() error { return e.err }

// waitedError means that the state could not be read for maxHold, or that it did not show the
// task's run yet. It has no Unwrap, because classify must not take its cause for an answer to a
// request of the task.
type waitedError struct{ cause error }

func (e *waitedError) Error() string {
	return "the state does not show the task's run: " + e.cause.Error()
}

var (
	// errStopping means that the worker shuts down before the task is applied.
	errStopping = errors.New("the worker is stopping")
	// errProbe means that shuffle doctor tests the queue.
	errProbe = errors.New("the message is a probe")
	// errNotOurs means that the task belongs to another environment, which shares the queues by
	// mistake.
	errNotOurs = errors.New("the task is of another environment")
)

// parse decodes the message, and sets invalid when it is not a task of this environment.
func (w *Worker) parse(d *delivery) {
	var err error
	switch d.task, err = messages.ParseTask(d.msg.Body); {
	case err != nil && messages.IsProbe(d.msg.Body):
		d.invalid = errProbe
	case err != nil:
		d.invalid = &rejectedError{code: messages.CodeUnreadable, err: err}
	case messages.OtherScope(w.cfg.Scope, d.task.Scope):
		d.invalid = errNotOurs // before the check of its keys, which belong to another bucket
	default:
		if err := d.task.Check(w.cfg.Layout); err != nil {
			d.invalid = &rejectedError{code: messages.CodeForbidden, err: err}
		}
	}
}

// foreign returns whether the message belongs to another environment.
func (d *delivery) foreign() bool { return errors.Is(d.invalid, errNotOurs) }

// keys is the number of keys that the task deletes.
func (d *delivery) keys() int { return len(d.task.Del) }

// conclude sets the delivery's disposition, counts it and logs it. err is the error of the steps.
func (w *Worker) conclude(d *delivery, err error) {
	if errors.Is(err, errNotOurs) {
		d.invalid = errNotOurs // admit found that the task belongs to another environment
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

// dispose returns the disposition of a delivery whose steps returned err. outage means that the
// bucket does not answer.
func (d *delivery) dispose(err error, maxReceives int, outage bool) disposition {
	// This is the last receive. After it the queue's redrive policy moves the message to the
	// dead-letter queue, without a reason.
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
		// By this code the tracker of the task's environment puts it back. Without a code the task
		// would count as dead.
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
		// The task only waited for the bucket or the pointer, so its tracker puts it back.
		return disposition{action: rejected, code: messages.CodePostponed, reason: err.Error()}
	case kind != permanent && !last:
		return disposition{action: returned, delay: retryDelay(d.msg.ReceiveCount)}
	}
	return disposition{action: dead, outcome: messages.Dead, code: code, reason: err.Error()}
}

// retryDelay is the backoff of a message that goes back to the queue: up to 1 s · 2^receives, at
// most a minute. It is in whole seconds, the unit of SQS.
func retryDelay(receives int) time.Duration {
	return retry.Backoff(time.Second, receives, time.Minute).Truncate(time.Second) + time.Second
}

// result returns the delivery's entry in a results message.
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
