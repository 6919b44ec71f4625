package doctor

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/messages"
)

// QueueAPI has the tested calls of a queue.
type QueueAPI interface {
	GetQueueAttributes(ctx context.Context) (queue.Attributes, error)
	SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error)
	ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error)
	ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error)
	DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error)
}

const (
	// minRetention is longer than a night without workers, and goodRetention is longer than a long
	// weekend.
	minRetention  = 24 * time.Hour
	goodRetention = 4 * 24 * time.Hour
	// maxReceives is the largest reasonable receive count. A task that kills its worker kills one
	// worker at each receive.
	maxReceives = 100
	// probeWait is how long the prober waits for its probe.
	probeWait = 5 * time.Second
)

// Queue compares a queue with its spec, and tests every permission that planner, workers and
// trackers need with a probe. A worker or tracker that receives the probe silently acknowledges it.
// all are the three queues, and own is the scope of this environment. foreign are the scopes of
// other environments whose messages it received.
func Queue(ctx context.Context, q QueueAPI, want queue.Spec, all []queue.Spec, own string) (checks []show.Check, foreign []string) {
	name := "queue " + want.Name
	a, err := q.GetQueueAttributes(ctx)
	if err != nil {
		return []show.Check{check(name, err, "", "grant sqs:GetQueueAttributes, or create it: shuffle setup")}, nil
	}
	p := prober{queue: q, want: want, has: a, own: own, body: messages.EncodeProbe(rand.Text())}
	probe := p.probe(ctx)
	return []show.Check{visibility(name, a, want), redrive(name+", redrive", a, want, all), settings(name+", settings", a), probe}, p.foreign
}

func visibility(name string, a queue.Attributes, want queue.Spec) show.Check {
	var err error
	if a.VisibilityTimeout < want.Visibility() {
		err = fmt.Errorf("its visibility timeout is %s, expected %s", a.VisibilityTimeout, want.Visibility())
	}
	detail := fmt.Sprintf("visibility timeout %s; %d messages, %d in flight", a.VisibilityTimeout.Round(time.Second), a.Visible, a.InFlight)
	return check(name, err, detail, "shuffle setup")
}

// minResultReceives is the least receive count of the results queue. Each crash of a tracker uses
// up one receive of every message that it has in flight.
const minResultReceives = 10

// redrive checks the redrive policy of a queue. The tasks queue needs one. The messages of the
// other queues must not be moved to one of the program's queues, where they would have another
// meaning.
func redrive(name string, a queue.Attributes, want queue.Spec, all []queue.Spec) show.Check {
	expected := queue.BaseName(want.DeadLetterQueue)
	own := slices.ContainsFunc(all, func(s queue.Spec) bool { return queue.BaseName(s.Name) == a.DeadLetterQueue })
	var err error
	switch {
	case expected == "" && a.DeadLetterQueue == "":
		return check(name, nil, "none", "")
	case expected == "" && own:
		err = fmt.Errorf("its redrive policy gives messages to %s, where they mean something else; expected none", a.DeadLetterQueue)
	case expected == "" && a.MaxReceiveCount < minResultReceives:
		err = fmt.Errorf("its redrive policy gives messages up after %d receives, which crashes of trackers cost; expected none, or %d at least", a.MaxReceiveCount, minResultReceives)
	case expected == "":
	case a.DeadLetterQueue == "":
		err = errors.New("it has no redrive policy: a task that kills its worker would be delivered for ever")
	case a.DeadLetterQueue != expected:
		err = fmt.Errorf("its redrive policy gives tasks to %s, expected %s: no tracker would find them", a.DeadLetterQueue, expected)
	case a.MaxReceiveCount < 2:
		err = fmt.Errorf("its redrive policy gives a task up after %d receive, which every crash of a worker costs", a.MaxReceiveCount)
	case a.MaxReceiveCount > max(maxReceives, want.MaxReceiveCount):
		err = fmt.Errorf("its redrive policy gives a task up after %d receives, expected %d: it could kill as many workers", a.MaxReceiveCount, want.MaxReceiveCount)
	}
	return check(name, err, fmt.Sprintf("to %s after %d receives", a.DeadLetterQueue, a.MaxReceiveCount), "shuffle setup")
}

// settings checks the attributes that are the same for all three queues. A queue in a file does not
// have them.
func settings(name string, a queue.Attributes) show.Check {
	if a.FIFO {
		return check(name, errors.New("it is a FIFO queue, which gives out few messages at a time; expected a standard queue"), "",
			"name another queue (SHUFFLE_TASKS_QUEUE, SHUFFLE_RESULTS_QUEUE, SHUFFLE_DEAD_LETTER_QUEUE), then shuffle setup")
	}
	var faults []error
	if a.Retention > 0 && a.Retention < minRetention {
		faults = append(faults, fmt.Errorf("it deletes messages after %s, expected %s at least: what waits for that long is lost", a.Retention, goodRetention))
	}
	if a.Delay > 0 {
		faults = append(faults, fmt.Errorf("it delays each message by %s, expected no delay", a.Delay))
	}
	if a.MaxMessageBytes > 0 && a.MaxMessageBytes < queue.MinMessageBytes {
		faults = append(faults, fmt.Errorf("it takes messages of up to %d bytes, expected %d at least", a.MaxMessageBytes, queue.MinMessageBytes))
	}
	detail := "no delay"
	switch {
	case a.Retention == 0:
		detail += ", messages are kept until they are deleted"
	case a.Retention < goodRetention:
		detail += fmt.Sprintf(", messages are kept for %s; shuffle setup makes it %s", a.Retention, queue.Retention)
	default:
		detail += fmt.Sprintf(", messages are kept for %d days", int(a.Retention.Hours()/24))
	}
	return check(name, errors.Join(faults...), detail, "shuffle setup")
}

// prober sends a message and tries to receive it.
type prober struct {
	queue   QueueAPI
	want    queue.Spec
	has     queue.Attributes
	own     string
	body    string
	foreign []string
}

func (p *prober) probe(ctx context.Context) show.Check {
	name := "queue " + p.want.Name + ", messages"
	key := ""
	if p.has.KMSKey != "" {
		key = fmt.Sprintf(", and kms:GenerateDataKey and kms:Decrypt on the key %s", p.has.KMSKey)
	}
	grant := func(action string) string { return "grant " + action + " on the queue" + key }
	if err := first(p.queue.SendMessageBatch(ctx, []queue.Entry{{Body: p.body}})); err != nil {
		return check(name, fmt.Errorf("send a probe: %w", err), "", grant("sqs:SendMessage"))
	}
	receipt, err := p.receive(ctx)
	if err != nil {
		return check(name, fmt.Errorf("receive the probe: %w", err), "", grant("sqs:ReceiveMessage"))
	}
	detail := "a probe was sent, received and deleted"
	// Without the probe there is no valid receipt, so only a refusal of the whole request counts.
	allowed := first
	if receipt == "" {
		receipt, detail = "shuffle-doctor", "a probe was sent; it did not come back within "+probeWait.String()+", since others take the messages"
		allowed = func(_ []queue.Failure, err error) error { return err }
	}
	if err := allowed(p.queue.ChangeMessageVisibilityBatch(ctx, []string{receipt}, p.want.Visibility())); err != nil {
		return check(name, fmt.Errorf("change the visibility of the probe: %w", err), "", grant("sqs:ChangeMessageVisibility"))
	}
	if err := allowed(p.queue.DeleteMessageBatch(ctx, []string{receipt})); err != nil {
		return check(name, fmt.Errorf("delete the probe: %w", err), "", grant("sqs:DeleteMessage"))
	}
	return check(name, nil, detail, "")
}

// receive tries to receive the probe and returns its receipt, or "" when another process has
// received it. It returns other messages to the queue at once. Their receive still counts, so it
// receives only once from a queue with messages.
func (p *prober) receive(ctx context.Context) (receipt string, err error) {
	for end := time.Now().Add(probeWait); time.Now().Before(end); {
		got, err := p.queue.ReceiveMessage(ctx, queue.MaxBatch, time.Second)
		if err != nil {
			return "", err
		}
		var others []string
		for _, m := range got {
			if m.Body == p.body {
				receipt = m.Receipt
				continue
			}
			others = append(others, m.Receipt)
			task, err := messages.ParseTask(m.Body)
			scope := task.Scope
			if err != nil {
				results, _ := messages.ParseResults(m.Body)
				scope = results.Scope
			}
			if messages.OtherScope(p.own, scope) && !slices.Contains(p.foreign, scope) {
				p.foreign = append(p.foreign, scope)
			}
		}
		if len(others) > 0 {
			// Without this permission, which is tested next, they become visible later.
			_, _ = p.queue.ChangeMessageVisibilityBatch(ctx, others, 0)
		}
		if receipt != "" || len(others) > 0 || p.has.Visible > 0 || p.has.Delay > 0 {
			break
		}
	}
	return receipt, nil
}

// first returns the error of a batch of one.
func first(failed []queue.Failure, err error) error {
	if err == nil && len(failed) > 0 {
		err = fmt.Errorf("%s: %s", failed[0].Code, cmp.Or(failed[0].Message, "no reason is given"))
	}
	return err
}

// Environments checks whether other environments use the queues.
func Environments(own string, foreign []string) show.Check {
	var err error
	if len(foreign) > 0 {
		slices.Sort(foreign)
		err = fmt.Errorf("another environment uses these queues: %.100q; this one is %.100q", slices.Compact(foreign), own)
	}
	return check("queues, environments", err, "no other one has been met",
		"give each environment queues of its own (SHUFFLE_TASKS_QUEUE, SHUFFLE_RESULTS_QUEUE, SHUFFLE_DEAD_LETTER_QUEUE)")
}
