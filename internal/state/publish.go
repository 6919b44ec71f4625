package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/messages"
)

const (
	// publishParallel is the number of SendMessageBatch requests at once: at SQS's 10 to 20 ms
	// each, some 20,000 messages a second.
	publishParallel = 32
	// beatTasks is the number of tasks after which the publisher checks whether a heartbeat is due.
	beatTasks = 8 * publishParallel * queue.MaxBatch
	// beatEvery must be well below the lease after which another planner takes over (15 s).
	beatEvery = 3 * time.Second
)

// Publish sends the tasks of a saved plan whose pointer is publishing, and then sets the run
// running. It starts at the first chunk that is not sent completely. The pointer counts each chunk
// after it is sent. So after a crash the next process sends at most one chunk twice, which is
// harmless because tasks are idempotent. The settings of the plan are in force before the first
// message.
//
// ErrConflict means that another process acts on the run now. When that process has already set the
// run running, or beyond, Publish succeeds and returns the present pointer.
func Publish(ctx context.Context, s *Store, pointer PointerSnapshot, tasks queue.BatchSender) (PointerSnapshot, error) {
	plan, err := s.PlanInForce(ctx, pointer.Pointer)
	if err != nil {
		return pointer, err
	}
	before, writing := errgroup.WithContext(ctx)
	before.Go(func() error { return s.EnsureSettings(writing, plan) })
	before.Go(func() error {
		// This object proves that the run was published, so that a lost settings.json can be
		// rebuilt before the run has a result.
		return s.WriteJSON(writing, RunName(pointer.Run, publishedName), Since{Run: plan.Run, Generation: plan.Generation}, bucket.Condition{})
	})
	if err := before.Wait(); err != nil {
		return pointer, err
	}
	p := publisher{store: s, queue: tasks, pointer: pointer, beaten: time.Now()}
	err = p.chunks(ctx)
	if errors.Is(err, ErrConflict) {
		return s.Overtaken(ctx, pointer, err)
	}
	return p.pointer, err
}

// Overtaken checks after a conflict whether another process has finished the publication.
func (s *Store) Overtaken(ctx context.Context, pointer PointerSnapshot, conflict error) (PointerSnapshot, error) {
	now, err := s.Current(ctx, PointerSnapshot{})
	if err != nil {
		return pointer, errors.Join(conflict, err)
	}
	if now.Run == pointer.Run && now.State != Publishing && now.State != Cancelled {
		return now, nil
	}
	return now, conflict
}

// publisher sends the chunks of one run. pointer is what the publisher last wrote.
type publisher struct {
	store   *Store
	queue   queue.BatchSender
	pointer PointerSnapshot
	beaten  time.Time
}

func (p *publisher) chunks(ctx context.Context) error {
	last := Chunks(p.pointer.Tasks)
	for p.pointer.Published < last {
		if err := p.chunk(ctx, p.pointer.Published); err != nil {
			return err
		}
		done := p.pointer.Published + 1
		err := p.swap(ctx, func(next *Pointer) {
			next.Published = done
			if done == last {
				next.State = Running
			}
		})
		if err != nil {
			return err
		}
	}
	if p.pointer.State == Running {
		return nil
	}
	return p.swap(ctx, func(next *Pointer) { next.State = Running })
}

func (p *publisher) chunk(ctx context.Context, n int) error {
	tasks, err := twice(func() ([]queue.Entry, error) { return p.store.taskEntries(ctx, p.pointer.Run, n) })
	if err != nil {
		return err
	}
	for part := range slices.Chunk(tasks, beatTasks) {
		if err := sendEntries(ctx, p.queue, part); err != nil {
			return err
		}
		if time.Since(p.beaten) < beatEvery {
			continue
		}
		if err := p.swap(ctx, func(*Pointer) {}); err != nil {
			return err
		}
	}
	return nil
}

// swap changes the pointer, with a heartbeat.
func (p *publisher) swap(ctx context.Context, change func(*Pointer)) error {
	next := p.pointer.Pointer
	next.Heartbeat++
	change(&next)
	pointer, err := p.store.Swap(ctx, p.pointer, next)
	if err == nil {
		p.pointer, p.beaten = pointer, time.Now()
	}
	return err
}

// SendTasks sends tasks, with many requests in parallel.
func SendTasks(ctx context.Context, q queue.BatchSender, tasks []messages.Task) error {
	entries := make([]queue.Entry, len(tasks))
	for i, t := range tasks {
		entries[i].Body = t.Encode()
	}
	return sendEntries(ctx, q, entries)
}

func sendEntries(ctx context.Context, q queue.BatchSender, entries []queue.Entry) error {
	g, ctx := errgroup.WithContext(ctx)
	batches := make(chan []queue.Entry)
	for range min(publishParallel, (len(entries)+queue.MaxBatch-1)/queue.MaxBatch) {
		g.Go(func() error {
			for batch := range batches {
				if err := queue.SendAll(ctx, q, batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(batches)
		for batch := range slices.Chunk(entries, queue.MaxBatch) {
			select {
			case batches <- batch:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return fmt.Errorf("send tasks: %w", err)
	}
	return nil
}
