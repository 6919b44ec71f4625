package worker

import (
	"errors"
	"fmt"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/messages"
)

// delivery is one received message, from the receive to the moment when the worker lets go of it.
type delivery struct {
	msg      queue.Message
	received time.Time // just after the receive
	task     messages.Task
	etag     string // of the destination, once it is known
	copied   string // the source's ETag that was copied
	ending   ending
	foreign  bool // of another environment

	extended time.Time // when the visibility timeout last began; hand's
}

// ending is how the worker lets go of a delivery, decided in conclude alone.
type ending struct {
	how     how
	outcome messages.Outcome
	code    string // why it is dead or unfit
	reason  string
	delay   time.Duration // of a return: when the message may be seen again
}

type how uint8

const (
	settled  how = iota // applied or superseded: the result, then the acknowledgement
	dead                // given up: the dead-letter queue, the result, then the acknowledgement
	unfit               // no task for this program: the dead-letter queue, then the acknowledgement
	ignored             // a probe: the acknowledgement
	returned            // back to the queue, to be delivered again
)

// unfitError says that a message is not to be obeyed. It gets no result: a forged message must not account for a
// planned task.
type unfitError struct {
	code string
	err  error
}

func (e *unfitError) Error() string { return e.err.Error() }
func (e *unfitError) Unwrap() error { return e.err }

// waitedError says that the state could not be read for as long as a delivery may wait, or that it was behind the task.
// It does not unwrap: its cause is no answer to a request of the task, and must not be classified as one.
type waitedError struct{ cause error }

func (e *waitedError) Error() string {
	return "the state does not show the task's run: " + e.cause.Error()
}

// isNotYet says that a delivery waits for a pointer that is behind its task.
func isNotYet(err error) bool {
	var waited *waitedError
	return errors.As(err, &waited) && errors.Is(waited.cause, errNotYet)
}

// errStopping: the worker is being shut down before the task is applied.
var errStopping = errors.New("the worker is stopping")

// errProbe: shuffle doctor tries the queue.
var errProbe = errors.New("the message is a probe")

// read takes the message as a task. Its error is errProbe, errNotOurs or an *unfitError.
func (d *delivery) read(l dataset.Layout, scope string) (err error) {
	if d.task, err = messages.ParseTask(d.msg.Body); err != nil {
		if messages.IsProbe(d.msg.Body) {
			return errProbe
		}
		return &unfitError{code: messages.CodeUnreadable, err: err}
	}
	if messages.OtherScope(scope, d.task.Scope) {
		return errNotOurs // before its keys are looked at, which belong to another bucket
	}
	if err := d.task.Check(l); err != nil {
		return &unfitError{code: messages.CodeForbidden, err: err}
	}
	return nil
}

// again says that the task may have been applied before.
func (d *delivery) again() bool { return d.msg.ReceiveCount > 1 || d.task.Round > 0 }

// conclude decides how the delivery ends; err is what applying it came to, and outage says that the bucket does not
// answer.
func (d *delivery) conclude(err error, maxReceives int, outage bool) {
	var bad *unfitError
	var waited *waitedError
	switch {
	case err == nil:
		d.ending = ending{how: settled, outcome: d.task.Op.Done()}
	case errors.Is(err, errSuperseded):
		d.ending = ending{how: settled, outcome: messages.Superseded}
	case errors.Is(err, errStopping):
		d.ending = ending{how: returned}
	case errors.As(err, &waited):
		d.ending = d.blameless(err, maxReceives)
	case errors.Is(err, errProbe):
		d.ending = ending{how: ignored}
	case errors.Is(err, errNotOurs):
		d.foreign, d.ending = true, notOurs(d.msg.ReceiveCount, maxReceives)
	case errors.Is(err, errNotPlanned):
		d.ending = ending{how: unfit, code: messages.CodeNotPlanned, reason: fmt.Sprintf("%v: seq %d", err, d.task.Seq)}
	case errors.Is(err, errOutside):
		d.ending = ending{how: unfit, code: messages.CodeForbidden, reason: fmt.Sprintf("%v: seq %d", err, d.task.Seq)}
	case errors.As(err, &bad):
		d.ending = ending{how: unfit, code: bad.code, reason: err.Error()}
	default:
		if kind, _ := classify(err); kind == transient && outage {
			d.ending = d.blameless(err, maxReceives)
			return
		}
		d.ending = failed(err, d.msg.ReceiveCount, maxReceives)
	}
}

// blameless is the ending of a task that waits for the bucket or the pointer. Nothing is wrong with it, so it is never
// given up for this: at the last receive that the queue grants, where the redrive policy would, its tracker puts it back.
func (d *delivery) blameless(err error, maxReceives int) ending {
	if d.msg.ReceiveCount >= maxReceives {
		return ending{how: unfit, code: messages.CodePostponed, reason: err.Error()}
	}
	return ending{how: returned, delay: retryDelay(d.msg.ReceiveCount)}
}

// notOurs is the ending of another environment's task: untouched, back to the queue. SQS counts the receive all the
// same. So at the last one that the queue grants the task goes to the dead-letter queue with a code by which its own
// tracker puts it back: the redrive policy would take it there without one, and it would count as dead.
func notOurs(receives, maxReceives int) ending {
	if receives >= maxReceives {
		return ending{how: unfit, code: messages.CodeNotOurs, reason: "workers of another environment have received it as often as the queue grants"}
	}
	return ending{how: returned, delay: queue.OwnerDelay(receives)}
}

// failed is the ending of a task that the bucket refused.
func failed(err error, receives, maxReceives int) ending {
	kind, code := classify(err)
	if kind != permanent && receives < maxReceives {
		return ending{how: returned, delay: retryDelay(receives)}
	}
	// The last receive that the queue grants: at the next one its redrive policy would take the message away, without a reason.
	return ending{how: dead, outcome: messages.Dead, code: code, reason: err.Error()}
}

// retryDelay is the backoff of a message that goes back to the queue: up to 1 s · 2^receives, at most a minute, in whole
// seconds as SQS counts.
func retryDelay(receives int) time.Duration {
	d := jitter(time.Second, receives, time.Minute)
	return (d + time.Second - 1).Truncate(time.Second)
}

// result is the delivery's line in a results message.
func (d *delivery) result() messages.Result {
	r := messages.Result{Seq: d.task.Seq, Outcome: d.ending.outcome, Attempts: d.msg.ReceiveCount, Round: d.task.Round}
	switch {
	case r.Outcome == messages.Dead:
		r.Code, r.Error = plain(d.ending.code, maxCode), plain(d.ending.reason, maxReason)
	case r.Outcome.IsDone():
		r.ETag = plain(d.etag, maxReason)
		if d.etag != d.task.SrcETag {
			// The source changed after the plan, or the copy has an ETag of its own (KMS, multipart): which content stands
			// there now, only the pair tells.
			r.SrcETag = plain(d.copied, maxReason)
		}
	}
	return r
}
