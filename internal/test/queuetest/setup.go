package queuetest

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

func testAbsent(t *testing.T, s Server) {
	if _, err := s.Queue(t.Context(), newName()); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("error %v, want %v", err, queue.ErrNotFound)
	}
}

func testSetup(t *testing.T, s Server) {
	dead, tasks := newName(), newName()
	steps := []struct {
		name string
		spec queue.Spec
		want queue.Attributes
	}{
		{"the dead-letter queue", queue.Spec{Name: dead}, queue.Attributes{VisibilityTimeout: queue.DefaultVisibility}},
		{
			"new",
			queue.Spec{Name: tasks, VisibilityTimeout: time.Minute, MaxReceiveCount: 5, DeadLetterQueue: dead},
			queue.Attributes{VisibilityTimeout: time.Minute, MaxReceiveCount: 5, DeadLetterQueue: dead},
		},
		{
			"the same again",
			queue.Spec{Name: tasks, VisibilityTimeout: time.Minute, MaxReceiveCount: 5, DeadLetterQueue: dead},
			queue.Attributes{VisibilityTimeout: time.Minute, MaxReceiveCount: 5, DeadLetterQueue: dead},
		},
		{
			"other values",
			queue.Spec{Name: tasks, VisibilityTimeout: 2 * time.Minute, MaxReceiveCount: 3, DeadLetterQueue: dead},
			queue.Attributes{VisibilityTimeout: 2 * time.Minute, MaxReceiveCount: 3, DeadLetterQueue: dead},
		},
		{
			"no redrive",
			queue.Spec{Name: tasks, VisibilityTimeout: time.Minute},
			queue.Attributes{VisibilityTimeout: time.Minute},
		},
	}
	for _, step := range steps {
		if err := s.Setup(t.Context(), step.spec); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		got, err := openQueue(t, s, step.spec.Name).GetQueueAttributes(t.Context())
		if err != nil || given(got) != step.want {
			t.Errorf("%s: attributes %+v, error %v; want %+v", step.name, got, err, step.want)
		}
		if changes := step.spec.Changes(got); len(changes) > 0 {
			t.Errorf("%s: Setup would still change %q", step.name, changes)
		}
	}
}

func testSetupOrder(t *testing.T, s Server) {
	tasks := newName()
	err := s.Setup(t.Context(), queue.Spec{Name: tasks, MaxReceiveCount: 5, DeadLetterQueue: newName()})
	if !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("error %v, want %v", err, queue.ErrNotFound)
	}
	if _, err := s.Queue(t.Context(), tasks); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("the queue was made all the same: error %v, want %v", err, queue.ErrNotFound)
	}
}

func testSetupAtOnce(t *testing.T, s Server) {
	spec := queue.Spec{Name: newName(), VisibilityTimeout: time.Minute}
	var g errgroup.Group
	for range 5 {
		g.Go(func() error { return s.Setup(t.Context(), spec) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	got, err := openQueue(t, s, spec.Name).GetQueueAttributes(t.Context())
	if want := (queue.Attributes{VisibilityTimeout: time.Minute}); err != nil || given(got) != want {
		t.Errorf("attributes %+v, error %v; want %+v", got, err, want)
	}
}

// given removes the attributes that a spec does not have and in which adapters differ.
func given(a queue.Attributes) queue.Attributes {
	a.Retention, a.MaxMessageBytes = 0, 0
	return a
}
