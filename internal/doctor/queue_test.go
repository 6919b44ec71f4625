package doctor_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/doctor"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
)

// tasks is how setup makes the tasks queue.
var tasks = queue.Spec{Name: "tasks", VisibilityTimeout: time.Minute, MaxReceiveCount: 5, DeadLetterQueue: "dead-letters"}

// newQueue is a queue that somebody has made, and its file.
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

func TestTasksQueue(t *testing.T) {
	for _, tc := range []struct {
		name string
		made queue.Spec
		want []finding
	}{
		{"as setup makes it", tasks, nil},
		{"with more patience", queue.Spec{Name: "tasks", VisibilityTimeout: time.Hour, MaxReceiveCount: 2, DeadLetterQueue: "dead-letters"}, nil},
		{"impatient", queue.Spec{Name: "tasks", VisibilityTimeout: 30 * time.Second, MaxReceiveCount: 5, DeadLetterQueue: "dead-letters"}, []finding{
			{"queue tasks", "its visibility timeout is 30s, expected 1m0s", "shuffle setup"},
		}},
		{"without redrive", queue.Spec{Name: "tasks", VisibilityTimeout: time.Minute}, []finding{
			{"queue tasks, redrive", "no redrive policy", "shuffle setup"},
		}},
		{"with one receive", queue.Spec{Name: "tasks", VisibilityTimeout: time.Minute, MaxReceiveCount: 1, DeadLetterQueue: "dead-letters"}, []finding{
			{"queue tasks, redrive", "after 1 receive", "shuffle setup"},
		}},
		{"as somebody makes it by hand", queue.Spec{Name: "tasks"}, []finding{
			{"queue tasks", "expected 1m0s", "shuffle setup"}, {"queue tasks, redrive", "no redrive policy", "shuffle setup"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q, _ := newQueue(t, tc.made)
			checks := doctor.TasksQueue(t.Context(), q, tasks)
			if len(checks) != 2 {
				t.Errorf("%d checks, want 2", len(checks))
			}
			mustFind(t, checks, tc.want...)
		})
	}
}

func TestQueue(t *testing.T) {
	want := queue.Spec{Name: "results", VisibilityTimeout: time.Minute}
	q, _ := newQueue(t, want)
	if _, err := q.SendMessageBatch(t.Context(), []queue.Entry{{Body: "a"}, {Body: "b"}, {Body: "c"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := q.ReceiveMessage(t.Context(), 1, 0); err != nil {
		t.Fatal(err)
	}
	checks := doctor.Queue(t.Context(), q, want)
	ok := show.Check{Name: "queue results", OK: true, Detail: "visibility timeout 1m0s; 2 messages, 1 in flight"}
	if len(checks) != 1 || checks[0] != ok {
		t.Errorf("%+v\nwant %+v", checks, ok)
	}
	mustFind(t, doctor.Queue(t.Context(), q, queue.Spec{Name: "results", VisibilityTimeout: time.Hour}),
		finding{"queue results", "its visibility timeout is 1m0s, expected 1h0m0s", "shuffle setup"})
}

// A queue that does not answer is one finding, whatever else would be looked at.
func TestQueueWithoutAnswer(t *testing.T) {
	q, file := newQueue(t, tasks)
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	want := finding{"queue tasks", "closed", "grant sqs:GetQueueAttributes, or create it: shuffle setup"}
	mustFind(t, doctor.TasksQueue(t.Context(), q, tasks), want)
	mustFind(t, doctor.Queue(t.Context(), q, tasks), want)
}
