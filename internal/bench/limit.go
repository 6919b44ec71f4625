package main

import (
	"context"
	"fmt"
)

// limitCmd measures workers at a bucket that takes no more than so many writes a second. A move is two, the copy and the delete.
type limitCmd struct {
	settings
	Limit   int   `help:"Writes a second that the bucket takes." default:"3500"`
	Workers []int `help:"Workers at a time." default:"1,4"`
}

func (c *limitCmd) Run(ctx *runContext) error {
	rows, err := c.workers(ctx, c.Workers, c.Limit, nil)
	if err != nil {
		return err
	}
	t := newTable("workers", "tasks", "writing", "writes/s", "of the limit", "refused", "CPU a task", "connections")
	for i, p := range rows {
		m := median(p.rounds)
		written, refused := m.server.Written, m.server.Refused
		t.row(c.Workers[i], p.tasks, m.server.Writing, perSecond(written, m.server.Writing),
			percent(float64(written)/m.server.Writing.Seconds(), float64(c.Limit)), percent(float64(refused), float64(written+refused)),
			perTask(m.cpu, p.tasks), m.server.Connections)
	}
	return nil
}

// scaleCmd measures workers that are held back by their slots only, so that neither the bucket nor this machine is.
type scaleCmd struct {
	settings
	Slots   int   `help:"Requests at a time of each worker." default:"16"`
	Workers []int `help:"Workers at a time." default:"1,2,4"`
}

func (c *scaleCmd) Run(ctx *runContext) error {
	rows, err := c.workers(ctx, c.Workers, 0, []string{fmt.Sprint("SHUFFLE_CONCURRENCY=", c.Slots)})
	if err != nil {
		return err
	}
	t := newTable("workers", "tasks", "writing", "tasks/s", "of linear", "CPU a task")
	var alone float64
	for i, p := range rows {
		m := median(p.rounds)
		each := float64(p.tasks) / m.server.Writing.Seconds() / float64(c.Workers[i])
		if i == 0 {
			alone = each
		}
		t.row(c.Workers[i], p.tasks, m.server.Writing, perSecond(p.tasks, m.server.Writing), percent(each, alone), perTask(m.cpu, p.tasks))
	}
	return nil
}

// idle is how long a worker of these measurements waits for more; it is not part of the writing.
const idle = "3s"

// workers measures so many workers, one count after the other, on the tasks of a season that moves as a whole.
func (s settings) workers(ctx context.Context, counts []int, limit int, env []string) ([]*peer, error) {
	w, err := newWorld(ctx, s)
	if err != nil {
		return nil, err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	rows := make([]*peer, len(counts))
	for i := range rows {
		rows[i] = &peer{program: program{path: s.Shuffle, args: []string{"work", "--exit-when-idle", idle}, env: env}}
	}
	for round := range s.Rounds {
		for i, p := range rows {
			say("round %d of %d: %d workers", round+1, s.Rounds, counts[i])
			if p.tasks, err = w.publish(ctx); err != nil {
				return nil, err
			}
			if err := p.measure(ctx, w, limit, copies(p.program, counts[i]-1)...); err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}

func copies(p program, n int) []program {
	all := make([]program, n)
	for i := range all {
		all[i] = p
	}
	return all
}

// publish plans a season that moves as a whole, and leaves its tasks in the queue.
func (w *world) publish(ctx context.Context) (tasks int, err error) {
	unsorted := w.unsorted()
	if err := w.fill(ctx, bucketName, unsorted...); err != nil {
		return 0, err
	}
	_, err = w.measure(ctx, program{path: w.Shuffle, args: []string{"plan", "--seed", seed}})
	return len(unsorted), err
}
