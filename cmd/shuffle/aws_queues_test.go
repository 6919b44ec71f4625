package main

import (
	"encoding/json"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

func seq(d state.DeadTask) string { return strconv.FormatUint(uint64(d.Task.Seq), 10) }

func (w *wire) queueURL(name string) *string {
	w.t.Helper()
	out, err := w.sqs.GetQueueUrl(w.t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.QueueUrl
}

func (w *wire) send(queue, body string) {
	w.t.Helper()
	if _, err := w.sqs.SendMessage(w.t.Context(), &sqs.SendMessageInput{QueueUrl: w.queueURL(queue), MessageBody: &body}); err != nil {
		w.t.Fatal(err)
	}
}

// receive receives exactly n messages of the tasks queue.
func (w *wire) receive(n int) (all []types.Message) {
	w.t.Helper()
	url := w.queueURL(w.queues.tasks)
	w.until("tasks have been received", func() bool {
		out, err := w.sqs.ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, VisibilityTimeout: 300,
		})
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, out.Messages...)
		return len(all) >= n
	})
	if len(all) != n {
		w.t.Fatalf("received %d messages, expected %d", len(all), n)
	}
	return all
}

// release makes a received message visible again.
func (w *wire) release(m types.Message) {
	w.t.Helper()
	if _, err := w.sqs.ChangeMessageVisibility(w.t.Context(), &sqs.ChangeMessageVisibilityInput{
		QueueUrl: w.queueURL(w.queues.tasks), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0,
	}); err != nil {
		w.t.Fatal(err)
	}
}

// exhaust receives the task of a frame, one of n tasks in the queue, as often as the queue allows.
// So do workers that crash each time.
func (w *wire) exhaust(n int, frame dataset.Frame) {
	w.t.Helper()
	const receives = 5 // SHUFFLE_MAX_RECEIVE_COUNT
	var others []types.Message
	for _, m := range w.receive(n) {
		if frameOfMessage(w, m) != frame {
			others = append(others, m)
			continue
		}
		w.release(m)
	}
	for range receives - 1 {
		w.release(w.receive(1)[0])
	}
	for _, m := range others {
		w.release(m)
	}
}

func frameOfMessage(w *wire, m types.Message) dataset.Frame {
	w.t.Helper()
	var task struct{ Frame dataset.Frame }
	if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &task); err != nil {
		w.t.Fatal(err)
	}
	return task.Frame
}

// mustBeDrained waits until the three queues are empty.
func (w *wire) mustBeDrained() {
	w.t.Helper()
	for _, name := range []string{w.queues.tasks, w.queues.results, w.queues.deadLetters} {
		url := w.queueURL(name)
		w.until("queue "+name+" is empty", func() bool {
			out, err := w.sqs.GetQueueAttributes(w.t.Context(), &sqs.GetQueueAttributesInput{
				QueueUrl: url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
			})
			if err != nil {
				w.t.Fatal(err)
			}
			a := out.Attributes
			return a["ApproximateNumberOfMessages"] == "0" && a["ApproximateNumberOfMessagesNotVisible"] == "0"
		})
	}
}
