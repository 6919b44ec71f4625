package memqueue

import (
	"context"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/test/queuetest"
)

// server gives the contract its interface.
type server struct{ *Server }

func (s server) Queue(_ context.Context, name string) (queuetest.Queue, error) { return s.Open(name) }

func TestContract(t *testing.T) {
	queuetest.Run(t, func(*testing.T) queuetest.Server { return server{&Server{}} })
}

func TestUnruly(t *testing.T) {
	var s Server
	if err := s.Setup(t.Context(), queue.Spec{Name: "tasks"}); err != nil {
		t.Fatal(err)
	}
	q, err := s.Open("tasks")
	if err != nil {
		t.Fatal(err)
	}
	receive := func(count int) queue.Message {
		t.Helper()
		got, err := q.ReceiveMessage(t.Context(), 10, 0)
		if err != nil || len(got) != 1 || got[0].Body != "task" || got[0].ReceiveCount != count {
			t.Fatalf("received %+v, %v; want the task for the %dth time", got, err, count)
		}
		return got[0]
	}
	if _, err := q.SendMessageBatch(t.Context(), []queue.Entry{{Body: "task"}}); err != nil {
		t.Fatal(err)
	}
	first := receive(1)
	if n := q.Redeliver(); n != 1 {
		t.Errorf("made %d messages visible, want 1", n)
	}
	second := receive(2)
	for _, m := range []queue.Message{first, second} { // the first receipt is no longer good
		if failed, err := q.DeleteMessageBatch(t.Context(), []string{m.Receipt}); err != nil || len(failed) > 0 {
			t.Fatal(failed, err)
		}
	}
	if _, ok := q.Next(); ok || len(q.Bodies()) > 0 {
		t.Errorf("%q is left", q.Bodies())
	}
	if n := q.Haunt(); n != 1 || q.Haunt() != 0 {
		t.Errorf("%d ghosts, want 1 once", n)
	}
	receive(3)
}
