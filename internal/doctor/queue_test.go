package doctor_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/doctor"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
	"github.com/angel-nft/google-shuffle/messages"
)

// tasks is how setup makes the tasks queue.
var tasks = queue.Spec{Name: "tasks", VisibilityTimeout: time.Minute, MaxReceiveCount: 5, DeadLetterQueue: "dead-letters"}

// all are the three queues.
var all = []queue.Spec{{Name: "dead-letters"}, {Name: "results"}, tasks}

// newQueue is a queue that someone has made, and its file.
func newQueue(t *testing.T, spec queue.Spec) (*sqlitequeue.Queue, *sqlitequeue.File) {
	t.Helper()
	f, err := sqlitequeue.Open(filepath.Join(t.TempDir(), "queues.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // some tests have closed it
	for _, s := range []queue.Spec{{Name: "dead-letters"}, spec} {
		if err := f.Setup(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	q, err := f.Queue(t.Context(), spec.Name)
	if err != nil {
		t.Fatal(err)
	}
	return q, f
}

// broken is a queue that differs from its spec: with other attributes, or without a permission.
type broken struct {
	*sqlitequeue.Queue
	spoil  func(*queue.Attributes)
	refuse string // the call that is refused
	taken  bool   // workers take every message
}

func (q broken) GetQueueAttributes(ctx context.Context) (queue.Attributes, error) {
	a, err := q.Queue.GetQueueAttributes(ctx)
	if q.spoil != nil {
		q.spoil(&a)
	}
	return a, err
}

var errDenied = errors.New("AccessDenied: not authorized")

func (q broken) refused(call string) error {
	if q.refuse == call {
		return errDenied
	}
	return nil
}

func (q broken) SendMessageBatch(ctx context.Context, entries []queue.Entry) ([]queue.Failure, error) {
	if err := q.refused("send"); err != nil {
		return nil, err
	}
	if q.refuse == "send one" { // as SQS refuses an entry of a batch
		return []queue.Failure{{Code: "KMS.AccessDeniedException", Message: "no"}}, nil
	}
	return q.Queue.SendMessageBatch(ctx, entries)
}

func (q broken) ReceiveMessage(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	if err := q.refused("receive"); err != nil {
		return nil, err
	}
	if q.taken {
		return nil, nil
	}
	return q.Queue.ReceiveMessage(ctx, most, wait)
}

func (q broken) DeleteMessageBatch(ctx context.Context, receipts []string) ([]queue.Failure, error) {
	if err := q.refused("delete"); err != nil {
		return nil, err
	}
	return q.Queue.DeleteMessageBatch(ctx, receipts)
}

func (q broken) ChangeMessageVisibilityBatch(ctx context.Context, receipts []string, timeout time.Duration) ([]queue.Failure, error) {
	if err := q.refused("change"); err != nil {
		return nil, err
	}
	return q.Queue.ChangeMessageVisibilityBatch(ctx, receipts, timeout)
}

func TestTasksQueue(t *testing.T) {
	made := func(change func(*queue.Spec)) queue.Spec {
		s := tasks
		change(&s)
		return s
	}
	for _, tc := range []struct {
		name string
		made queue.Spec
		q    broken
		want []finding
	}{
		{"as setup makes it", tasks, broken{}, nil},
		{"with more patience", made(func(s *queue.Spec) { s.VisibilityTimeout, s.MaxReceiveCount = time.Hour, 2 }), broken{}, nil},
		{"busy workers", tasks, broken{taken: true}, nil},
		{"impatient", made(func(s *queue.Spec) { s.VisibilityTimeout = 30 * time.Second }), broken{}, []finding{
			{"queue tasks", "its visibility timeout is 30s, expected 1m0s", "shuffle setup"},
		}},
		{"without redrive", queue.Spec{Name: "tasks", VisibilityTimeout: time.Minute}, broken{}, []finding{
			{"queue tasks, redrive", "no redrive policy", "shuffle setup"},
		}},
		{"with one receive", made(func(s *queue.Spec) { s.MaxReceiveCount = 1 }), broken{}, []finding{
			{"queue tasks, redrive", "after 1 receive", "shuffle setup"},
		}},
		{"with a thousand receives", made(func(s *queue.Spec) { s.MaxReceiveCount = 1000 }), broken{}, []finding{
			{"queue tasks, redrive", "after 1000 receives, expected 5", "shuffle setup"},
		}},
		{"as somebody makes it by hand", queue.Spec{Name: "tasks"}, broken{}, []finding{
			{"queue tasks", "expected 1m0s", "shuffle setup"}, {"queue tasks, redrive", "no redrive policy", "shuffle setup"},
		}},
		{"redrive to another queue", tasks, broken{spoil: func(a *queue.Attributes) { a.DeadLetterQueue = "results" }}, []finding{
			{"queue tasks, redrive", "gives tasks to results, expected dead-letters", "shuffle setup"},
		}},
		{"retention of a minute", tasks, broken{spoil: func(a *queue.Attributes) { a.Retention = time.Minute }}, []finding{
			{"queue tasks, settings", "deletes messages after 1m0s", "shuffle setup"},
		}},
		{"retention of two days", tasks, broken{spoil: func(a *queue.Attributes) { a.Retention = 48 * time.Hour }}, nil},
		{"a delay", tasks, broken{spoil: func(a *queue.Attributes) { a.Delay = 15 * time.Minute }}, []finding{
			{"queue tasks, settings", "delays each message by 15m0s", "shuffle setup"},
		}},
		{"small messages", tasks, broken{spoil: func(a *queue.Attributes) { a.MaxMessageBytes = 1024 }}, []finding{
			{"queue tasks, settings", "up to 1024 bytes, expected 262144", "shuffle setup"},
		}},
		{"first in, first out", tasks, broken{spoil: func(a *queue.Attributes) { a.FIFO = true }}, []finding{
			{"queue tasks, settings", "FIFO queue", "SHUFFLE_TASKS_QUEUE"},
		}},
		{"no right to send", tasks, broken{refuse: "send"}, []finding{{"queue tasks, messages", "send a probe: AccessDenied", "grant sqs:SendMessage"}}},
		{"no right to the key", tasks, broken{refuse: "send one", spoil: func(a *queue.Attributes) { a.KMSKey = "alias/own" }}, []finding{
			{"queue tasks, messages", "KMS.AccessDeniedException", "kms:Decrypt on the key alias/own"},
		}},
		{"no right to receive", tasks, broken{refuse: "receive"}, []finding{{"queue tasks, messages", "receive the probe: AccessDenied", "grant sqs:ReceiveMessage"}}},
		{"no right to delete", tasks, broken{refuse: "delete"}, []finding{{"queue tasks, messages", "delete the probe: AccessDenied", "grant sqs:DeleteMessage"}}},
		{"no right to delete, busy", tasks, broken{refuse: "delete", taken: true}, []finding{{"queue tasks, messages", "delete the probe: AccessDenied", "grant sqs:DeleteMessage"}}},
		{"no right to extend", tasks, broken{refuse: "change"}, []finding{{"queue tasks, messages", "change the visibility", "grant sqs:ChangeMessageVisibility"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			q, _ := newQueue(t, tc.made)
			tc.q.Queue = q
			checks, _ := doctor.Queue(t.Context(), tc.q, tasks, all, "bucket/tt")
			if len(checks) != 4 {
				t.Errorf("%d checks, want 4", len(checks))
			}
			mustFind(t, checks, tc.want...)
			if a, err := q.GetQueueAttributes(t.Context()); tc.q.refuse == "" && !tc.q.taken && (err != nil || a.Visible+a.InFlight > 0) {
				t.Errorf("the probe is left: %+v, %v", a, err)
			}
		})
	}
}

// The other queues have no redrive policy.
func TestQueue(t *testing.T) {
	want := queue.Spec{Name: "results", VisibilityTimeout: time.Minute}
	q, _ := newQueue(t, want)
	checks, _ := doctor.Queue(t.Context(), q, want, all, "")
	ok := show.Check{Name: "queue results", OK: true, Detail: "visibility timeout 1m0s; 0 messages, 0 in flight"}
	if len(checks) != 4 || checks[0] != ok {
		t.Errorf("%+v\nwant %+v", checks, ok)
	}
	mustFind(t, checks)
	checks, _ = doctor.Queue(t.Context(), q, queue.Spec{Name: "results", VisibilityTimeout: time.Hour}, all, "")
	mustFind(t, checks, finding{"queue results", "its visibility timeout is 1m0s, expected 1h0m0s", "shuffle setup"})
	for _, tc := range []struct {
		target string
		count  int
		want   []finding
	}{
		{"dead-letters", 50, []finding{{"queue results, redrive", "gives messages to dead-letters", "shuffle setup"}}},
		{"tasks", 50, []finding{{"queue results, redrive", "gives messages to tasks", "shuffle setup"}}},
		{"results-dead-letters", 3, []finding{{"queue results, redrive", "after 3 receives", "shuffle setup"}}},
		{"results-dead-letters", 50, nil}, // as deploy/stack.yaml has it
	} {
		checks, _ = doctor.Queue(t.Context(), broken{Queue: q, spoil: func(a *queue.Attributes) { a.DeadLetterQueue, a.MaxReceiveCount = tc.target, tc.count }}, want, all, "")
		mustFind(t, checks, tc.want...)
	}
}

// Messages of other environments are returned at once, and doctor names their environment.
func TestQueueWithMessages(t *testing.T) {
	frame := "TT_S01_E01_FRM-00-00-08-12"
	task := func(scope string) queue.Entry {
		return queue.Entry{Body: messages.Task{V: 1, Run: "r", Gen: 1, Op: messages.Delete, Frame: dataset.Frame(frame), Del: []string{"x"}, Scope: scope}.Encode()}
	}
	results := messages.Results{V: 1, Run: "r", Gen: 1, Scope: "other/tt", Results: []messages.Result{{Outcome: messages.Copied}}}
	q, _ := newQueue(t, tasks)
	if _, err := q.SendMessageBatch(t.Context(), []queue.Entry{task("bucket/tt"), task("staging/tt"), task(""), {Body: results.Encode()}, {Body: "junk"}}); err != nil {
		t.Fatal(err)
	}
	checks, foreign := doctor.Queue(t.Context(), q, tasks, all, "bucket/tt")
	mustFind(t, checks)
	if a, err := q.GetQueueAttributes(t.Context()); err != nil || a.Visible != 5 || a.InFlight != 0 {
		t.Errorf("%+v, %v; want the five messages, and no probe", a, err)
	}
	slices.Sort(foreign)
	if !slices.Equal(foreign, []string{"other/tt", "staging/tt"}) {
		t.Errorf("foreign %q", foreign)
	}
	mustFind(t, []show.Check{doctor.Environments("bucket/tt", append(foreign, "staging/tt"))},
		finding{"queues, environments", `another environment uses these queues: ["other/tt" "staging/tt"]; this one is "bucket/tt"`, "SHUFFLE_TASKS_QUEUE"})
	mustFind(t, []show.Check{doctor.Environments("bucket/tt", nil)})
}

// A queue that does not answer is one finding, whatever else would be looked at.
func TestQueueWithoutAnswer(t *testing.T) {
	q, file := newQueue(t, tasks)
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	checks, _ := doctor.Queue(t.Context(), q, tasks, all, "")
	mustFind(t, checks, finding{"queue tasks", "closed", "grant sqs:GetQueueAttributes, or create it: shuffle setup"})
}
