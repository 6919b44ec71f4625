package main

import (
	"context"
	"fmt"
	"time"

	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/messages"
)

// publish plans the first episodes of a season, and leaves the tasks in the queue. The bucket also
// holds the further keys.
func (w *world) publish(ctx context.Context, further []string, episodes int) (tasks int, err error) {
	if err := w.fill(ctx, bucketName, further...); err != nil {
		return 0, err
	}
	args := []string{"plan", "--seed", seed}
	for _, e := range w.season.Episodes[:episodes] {
		args = append(args, "--episode", string(e.Episode))
	}
	if _, err := w.measure(ctx, program{path: w.Shuffle, args: args}); err != nil {
		return 0, err
	}
	_, pointer, err := w.current(ctx)
	return pointer.Tasks, err
}

// The default queues of the program.
const (
	tasksQueue   = "google-shuffle-tasks"
	resultsQueue = "google-shuffle-results"
)

func (w *world) queue(ctx context.Context, name string) (open.Queue, error) {
	queues, err := open.New(w.Parallel).Queues(ctx, "sqs://")
	if err != nil {
		return nil, err
	}
	return queues.Queue(ctx, queue.Spec{Name: name})
}

// takeResults empties the results queue. Each task must be in it, and must be a move. It counts the
// tasks by worker.
func (w *world) takeResults(ctx context.Context, tasks int) (done map[string]int, err error) {
	if err := w.server.configure(ctx, benchFast); err != nil {
		return nil, err
	}
	q, err := w.queue(ctx, resultsQueue)
	if err != nil {
		return nil, err
	}
	// A receive whose answer is lost hides its messages for a minute.
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	done, seen := map[string]int{}, make(map[uint32]bool, tasks)
	for {
		if len(seen) == tasks {
			return done, nil
		}
		got, err := q.ReceiveMessage(ctx, queue.MaxBatch, time.Second)
		if err != nil {
			return nil, fmt.Errorf("%d of %d tasks have a result: %w", len(seen), tasks, err)
		}
		if err := countResults(got, done, seen); err != nil {
			return nil, err
		}
		if len(got) == 0 {
			continue
		}
		receipts := make([]string, len(got))
		for i, m := range got {
			receipts[i] = m.Receipt
		}
		if _, err := q.DeleteMessageBatch(ctx, receipts); err != nil {
			return nil, err
		}
	}
}

func countResults(got []queue.Message, done map[string]int, seen map[uint32]bool) error {
	for _, m := range got {
		told, err := messages.ParseResults(m.Body)
		if err != nil {
			return err
		}
		for _, r := range told.Results {
			if r.Outcome != messages.Moved {
				return fmt.Errorf("task %d was not moved: %+v", r.Seq, r)
			}
			if !seen[r.Seq] { // a task may be delivered twice
				seen[r.Seq] = true
				done[told.Worker]++
			}
		}
	}
	return nil
}
