package worker

import (
	"context"
)

// process handles one message after its receive: admit, copy, delete, report, acknowledge. Each
// message in flight has a goroutine. A step that sends many messages in one request blocks until
// that request is answered.
//
// work ends when the time for draining is over. ctx ends a little later, so that results and
// acknowledgements can still be sent.
func (w *Worker) process(work, ctx context.Context, d *delivery) {
	defer w.inFlight.remove(d) // until then heartbeats extend the visibility timeout

	err := d.invalid
	if err == nil {
		err = w.admit(work, d)
		if err == nil && d.task.Src != "" {
			err = w.copy(work, d)
		}
		w.endTurn()
	}
	if err == nil && len(d.task.Del) > 0 {
		// The delete comes after the copy, so at no moment is the frame absent from the datasets.
		err = w.deletes.add(work, d)
	}
	w.conclude(d, err)

	switch d.disposition.action {
	case done:
		if w.reports.add(ctx, d) == nil {
			// The bucket is changed and the results queue has the result, so the message is no
			// longer needed. Until here a worker that dies leaves the message, and another worker
			// repeats the task and reports it.
			_ = w.acknowledgements.add(ctx, d)
		}
	case dead:
		// The dead-letter queue comes first: a task that is reported dead must be there, with its
		// reason.
		if w.deadLetters.add(ctx, d) == nil && w.reports.add(ctx, d) == nil {
			// The dead-letter queue and the results queue both have the task, so the tasks queue no
			// longer needs it.
			_ = w.acknowledgements.add(ctx, d)
		}
	case rejected:
		if w.deadLetters.add(ctx, d) == nil {
			// The dead-letter queue has the message. There is no result: a forged message must not
			// account for a planned task.
			_ = w.acknowledgements.add(ctx, d)
		}
	case ignored:
		// shuffle doctor sent the message to see whether it is received.
		_ = w.acknowledgements.add(ctx, d)
	case returned:
		// The message is not acknowledged. Some worker receives it after the delay and applies the
		// task.
		_ = w.returns.add(ctx, d)
	}
}
