package worker

import (
	"context"
)

// process takes one message from its receive to the moment when the worker is finished with it:
// admit, copy, delete, report, acknowledge. Each message has a goroutine of its own, and steps that
// take many messages in one request block until that request is answered.
//
// work ends when the time for draining is over. ctx ends a little later, so that the queues still
// receive what was done.
func (w *Worker) process(work, ctx context.Context, d *delivery) {
	defer w.inFlight.remove(d) // at the end, whatever it is: until then heartbeats extend the visibility timeout

	err := d.invalid
	if err == nil {
		err = w.admit(work, d)
		if err == nil && d.task.Src != "" {
			err = w.copy(work, d)
		}
		w.endTurn()
	}
	if err == nil && len(d.task.Del) > 0 {
		// Only now: the copy exists, so at no moment is the frame absent from the datasets.
		err = w.deletes.add(work, d)
	}
	w.conclude(d, err)

	switch d.disposition.action {
	case done:
		if w.reports.add(ctx, d) == nil {
			// The bucket is changed and the results queue has the result, so the message has
			// nothing left to do. Before, a worker that dies must leave it, for another worker to
			// do the task again and report.
			_ = w.acknowledgements.add(ctx, d)
		}
	case dead:
		// The dead-letter queue comes first: a task that is reported dead must be there, with its
		// reason.
		if w.deadLetters.add(ctx, d) == nil && w.reports.add(ctx, d) == nil {
			// The tracker can find the task in two places, so the tasks queue may forget it.
			_ = w.acknowledgements.add(ctx, d)
		}
	case rejected:
		if w.deadLetters.add(ctx, d) == nil {
			// The dead-letter queue has the message. There is no result: a forged message must not
			// account for a planned task.
			_ = w.acknowledgements.add(ctx, d)
		}
	case ignored:
		// Shuffle doctor sent the message to see it received, and it was.
		_ = w.acknowledgements.add(ctx, d)
	case returned:
		// Not acknowledged: the task is still to be done, by whichever worker receives it after the
		// delay.
		_ = w.returns.add(ctx, d)
	}
}
