package sqsqueue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqsqueue"
)

const (
	queueURL  = "https://sqs.us-east-1.amazonaws.com/123456789012/tasks"
	queueGone = `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}`
)

// calls is what a test's server was asked: the call, and its JSON body.
type calls struct {
	names  []string
	bodies []map[string]any
}

// answering starts an SQS that gives one answer to every call (with status 400, queueGone), and
// opens a queue on it.
func answering(t *testing.T, status int, answer string) (*sqsqueue.Queue, *calls) {
	t.Helper()
	heard := &calls{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Errorf("request: %v", err)
		}
		_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		heard.names = append(heard.names, name)
		heard.bodies = append(heard.bodies, body)
		reply(w, status, answer)
	}))
	t.Cleanup(server.Close)
	q, err := sqsqueue.New(t.Context(), newClient(t, server.URL), queueURL)
	if err != nil {
		t.Fatal(err)
	}
	return q, heard
}

func reply(w http.ResponseWriter, status int, answer string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if status >= 400 {
		w.Header().Set("X-Amzn-Query-Error", "AWS.SimpleQueueService.NonExistentQueue;Sender")
	}
	w.WriteHeader(status)
	io.WriteString(w, answer) //nolint:errcheck // The client has gone.
}

// batchCalls is the three calls of a batch, each with three entries.
var batchCalls = map[string]func(ctx context.Context, q *sqsqueue.Queue) ([]queue.Failure, error){
	"SendMessageBatch": func(ctx context.Context, q *sqsqueue.Queue) ([]queue.Failure, error) {
		return q.SendMessageBatch(ctx, []queue.Entry{{Body: "a"}, {Body: "b"}, {Body: "c"}})
	},
	"DeleteMessageBatch": func(ctx context.Context, q *sqsqueue.Queue) ([]queue.Failure, error) {
		return q.DeleteMessageBatch(ctx, []string{"a", "b", "c"})
	},
	"ChangeMessageVisibilityBatch": func(ctx context.Context, q *sqsqueue.Queue) ([]queue.Failure, error) {
		return q.ChangeMessageVisibilityBatch(ctx, []string{"a", "b", "c"}, time.Minute)
	},
}

func TestPartialFailures(t *testing.T) {
	const failedB = `{"Id":"1","Code":"ServiceUnavailable","Message":"later","SenderFault":false}`
	const failedC = `{"Id":"2","Code":"InvalidMessageContents","SenderFault":true}`
	b := queue.Failure{Index: 1, Code: "ServiceUnavailable", Message: "later"}
	c := queue.Failure{Index: 2, Code: "InvalidMessageContents", SenderFault: true}
	for _, tc := range []struct {
		name, done, failed string
		want               []queue.Failure
		wantErr            string
	}{
		{name: "all done", done: `{"Id":"2"},{"Id":"0"},{"Id":"1"}`},
		{name: "one failed", done: `{"Id":"0"},{"Id":"2"}`, failed: failedB, want: []queue.Failure{b}},
		{name: "in any order", done: `{"Id":"0"}`, failed: failedC + "," + failedB, want: []queue.Failure{c, b}},
		{name: "one is missing", done: `{"Id":"0"}`, failed: failedB, wantErr: "1 entries done and 1 failed of 3"},
		{name: "an ID that was not sent", done: `{"Id":"0"},{"Id":"1"}`, failed: `{"Id":"3","Code":"x"}`, wantErr: `unknown entry "3"`},
		{name: "an ID that is no number", done: `{"Id":"0"},{"Id":"1"}`, failed: `{"Id":"x","Code":"x"}`, wantErr: `unknown entry "x"`},
		{name: "nothing at all", wantErr: "0 entries done and 0 failed of 3"},
	} {
		for name, call := range batchCalls {
			t.Run(tc.name+"/"+name, func(t *testing.T) {
				q, _ := answering(t, 200, fmt.Sprintf(`{"Successful":[%s],"Failed":[%s]}`, tc.done, tc.failed))
				got, err := call(t.Context(), q)
				if !reflect.DeepEqual(got, tc.want) {
					t.Errorf("failures %+v, want %+v", got, tc.want)
				}
				if tc.wantErr == "" && err != nil || tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)) {
					t.Errorf("error %v, want %q", err, tc.wantErr)
				}
			})
		}
	}
}

// TestQueueGone: every call of a deleted queue returns queue.ErrNotFound.
func TestQueueGone(t *testing.T) {
	q, _ := answering(t, 400, queueGone)
	errs := make(map[string]error)
	for name, call := range batchCalls {
		_, errs[name] = call(t.Context(), q)
	}
	_, errs["ReceiveMessage"] = q.ReceiveMessage(t.Context(), 1, 0)
	_, errs["GetQueueAttributes"] = q.GetQueueAttributes(t.Context())
	errs["PurgeQueue"] = q.PurgeQueue(t.Context())
	for name, err := range errs {
		if !errors.Is(err, queue.ErrNotFound) || !strings.Contains(err.Error(), queueURL) {
			t.Errorf("%s: error %v, want %v with the queue's URL", name, err, queue.ErrNotFound)
		}
	}
}

func TestReceive(t *testing.T) {
	for _, tc := range []struct {
		wait time.Duration
		want float64
	}{{0, 1}, {time.Millisecond, 1}, {1500 * time.Millisecond, 2}, {queue.MaxWait, 20}} {
		q, heard := answering(t, 200, `{"Messages":[
			{"MessageId":"1","ReceiptHandle":"r1","Body":"a","Attributes":{"ApproximateReceiveCount":"3"},
			 "MessageAttributes":{"s":{"DataType":"String","StringValue":"x"},"b":{"DataType":"Binary","BinaryValue":"eQ=="}}},
			{"MessageId":"2","ReceiptHandle":"r2","Body":"b"}]}`)
		want := []queue.Message{
			{ID: "1", Body: "a", Receipt: "r1", ReceiveCount: 3, Attributes: map[string]string{"s": "x", "b": "y"}},
			{ID: "2", Body: "b", Receipt: "r2", ReceiveCount: 1},
		}
		if got, err := q.ReceiveMessage(t.Context(), 7, tc.wait); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("received %+v, error %v; want %+v", got, err, want)
		}
		wantAsked := map[string]any{
			"QueueUrl": queueURL, "MaxNumberOfMessages": 7.0, "WaitTimeSeconds": tc.want,
			"MessageSystemAttributeNames": []any{"ApproximateReceiveCount", "SentTimestamp"}, "MessageAttributeNames": []any{"All"},
		}
		if !reflect.DeepEqual(heard.bodies, []map[string]any{wantAsked}) {
			t.Errorf("asked %v, want %v", heard.bodies, wantAsked)
		}
	}
}

func TestVisibilityInSeconds(t *testing.T) {
	for timeout, want := range map[time.Duration]float64{0: 0, time.Millisecond: 1, 1500 * time.Millisecond: 2, time.Minute: 60} {
		q, heard := answering(t, 200, `{"Successful":[{"Id":"0"}],"Failed":[]}`)
		if _, err := q.ChangeMessageVisibilityBatch(t.Context(), []string{"r"}, timeout); err != nil {
			t.Fatal(err)
		}
		entry := heard.bodies[0]["Entries"].([]any)[0]
		if w := (map[string]any{"Id": "0", "ReceiptHandle": "r", "VisibilityTimeout": want}); !reflect.DeepEqual(entry, w) {
			t.Errorf("asked for %v, want %v", entry, w)
		}
	}
}

func TestNewByName(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if string(body) != `{"QueueName":"tasks"}` {
			reply(w, 400, queueGone)
			return
		}
		reply(w, 200, fmt.Sprintf(`{"QueueUrl":%q}`, queueURL))
	}))
	defer server.Close()
	client := newClient(t, server.URL)
	if q, err := sqsqueue.New(t.Context(), client, "tasks"); err != nil || q.URL() != queueURL {
		t.Errorf("queue %+v, error %v; want %s", q, err, queueURL)
	}
	_, err := sqsqueue.New(t.Context(), client, "missing")
	if !errors.Is(err, queue.ErrNotFound) || !strings.Contains(err.Error(), "queue missing") {
		t.Errorf("error %v, want %v with the name", err, queue.ErrNotFound)
	}
}

func TestQueueAttributes(t *testing.T) {
	const counts = `"ApproximateNumberOfMessages":"5","ApproximateNumberOfMessagesNotVisible":"3",
		"ApproximateNumberOfMessagesDelayed":"1","VisibilityTimeout":"60"`
	plain := queue.Attributes{Visible: 5, InFlight: 3, Delayed: 1, VisibilityTimeout: time.Minute}
	withPolicy := plain
	withPolicy.MaxReceiveCount, withPolicy.DeadLetterQueue = 4, "dead"
	full := plain
	full.Retention, full.Delay, full.MaxMessageBytes, full.FIFO, full.KMSKey = time.Minute, 15*time.Minute, 1024, true, "alias/own"
	const more = `,"MessageRetentionPeriod":"60","DelaySeconds":"900","MaximumMessageSize":"1024","FifoQueue":"true","KmsMasterKeyId":"alias/own"`
	const policy = `,"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:1:dead\",\"maxReceiveCount\":%s}"`
	for _, tc := range []struct {
		name, answer string
		want         queue.Attributes
		wantErr      string
	}{
		{"no policy", counts, plain, ""},
		{"all that matters", counts + more, full, ""},
		{"a delay that is no number", counts + `,"DelaySeconds":"x"`, queue.Attributes{}, "DelaySeconds"},
		{"a policy", counts + fmt.Sprintf(policy, "4"), withPolicy, ""},
		{"a policy with a count in quotes", counts + fmt.Sprintf(policy, `\"4\"`), withPolicy, ""},
		{"a policy that is no JSON", counts + `,"RedrivePolicy":"x"`, queue.Attributes{}, "redrive policy"},
		{"a policy with half a count", counts + fmt.Sprintf(policy, "0.5"), queue.Attributes{}, "maxReceiveCount"},
		{"no counts", `"VisibilityTimeout":"60"`, queue.Attributes{}, "ApproximateNumberOfMessages"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q, _ := answering(t, 200, `{"Attributes":{`+tc.answer+`}}`)
			got, err := q.GetQueueAttributes(t.Context())
			if got != tc.want || (err == nil) != (tc.wantErr == "") || err != nil && !strings.Contains(err.Error(), tc.wantErr) {
				t.Errorf("attributes %+v, error %v; want %+v, %q", got, err, tc.want, tc.wantErr)
			}
		})
	}
}
