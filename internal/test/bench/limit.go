package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// limitCmd measures workers with a bucket that limits the writes per second. A move is two writes,
// the copy and the delete.
type limitCmd struct {
	settings
	Limit   int   `help:"Writes a second that the bucket takes." default:"3500"`
	Workers []int `help:"Workers at a time." default:"1,2,4,8"`
}

func (c *limitCmd) Run(ctx *runContext) error {
	rows, err := c.measure(ctx)
	if err == nil {
		c.print(ctx.out, rows)
	}
	return err
}

func (c *limitCmd) measure(ctx context.Context) ([]*peer, error) {
	return c.workers(ctx, c.Workers, c.Limit, func(int) int { return c.Episodes })
}

func (c *limitCmd) print(out *strings.Builder, rows []*peer) {
	t := newTable(out, "workers", "tasks", "writing", "of the limit", "refused", "speed-up", "a worker's share of an equal one", "CPU a task", "peak memory", "connections")
	for i, p := range rows {
		t.row(c.Workers[i], p.tasks, p.rounds.seconds(writing),
			p.rounds.of(func(m measured) float64 { return 100 * writesPerSecond(m) / float64(c.Limit) }).in("%", 1),
			p.rounds.of(refused).in("%", 1), speedUp(rows[0], p), shares(p.rounds),
			p.rounds.cpuPerTask(p.tasks), p.rounds.memory(), p.rounds.connections())
	}
}

func writing(m measured) time.Duration { return m.server.Writing }

func writesPerSecond(m measured) float64 {
	return float64(m.server.Written) / m.server.Writing.Seconds()
}

// refused is the percentage of the writes that the server refused.
func refused(m measured) float64 {
	return 100 * float64(m.server.Refused) / float64(max(m.server.Written+m.server.Refused, 1))
}

// speedUp is the ratio of the median writes per second.
func speedUp(first, p *peer) float64 {
	return p.rounds.of(writesPerSecond).median / first.rounds.of(writesPerSecond).median
}

// shares is the smallest and the largest share of all rounds.
func shares(r rounds) string {
	least := r.of(func(m measured) float64 { return m.shares.least }).least
	most := r.of(func(m measured) float64 { return m.shares.most }).most
	return fmt.Sprintf("%.2f–%.2f", least, most)
}

// scaleCmd measures workers that only their slots limit: neither the bucket nor this machine is the
// bottleneck. Each worker has the tasks of one episode.
type scaleCmd struct {
	settings
	Slots   int   `help:"Requests at a time of each worker." default:"8"`
	Workers []int `help:"Workers at a time." default:"1,2,4,8"`
}

func (c *scaleCmd) Run(ctx *runContext) error {
	rows, err := c.measure(ctx)
	if err == nil {
		c.print(ctx.out, rows)
	}
	return err
}

func (c *scaleCmd) measure(ctx context.Context) ([]*peer, error) {
	c.Episodes = slices.Max(c.Workers)
	return c.workers(ctx, c.Workers, 0, func(workers int) int { return workers }, fmt.Sprint("SHUFFLE_CONCURRENCY=", c.Slots))
}

func (c *scaleCmd) print(out *strings.Builder, rows []*peer) {
	t := newTable(out, "workers", "tasks", "writing", "tasks/s", "speed-up", "of linear", "a worker's share of an equal one", "CPU a task")
	for i, p := range rows {
		up := speedUp(rows[0], p)
		t.row(c.Workers[i], p.tasks, p.rounds.seconds(writing), perSecond(p.tasks, p.rounds.typical().server.Writing), up,
			fmt.Sprintf("%.1f%%", 100*up*float64(c.Workers[0])/float64(c.Workers[i])), shares(p.rounds), p.rounds.cpuPerTask(p.tasks))
	}
}

// workers measures these numbers of workers, all of them in each round. The tasks are those of the
// given number of episodes in which every frame moves.
func (s settings) workers(ctx context.Context, counts []int, limit int, episodes func(workers int) int, env ...string) ([]*peer, error) {
	w, err := newWorld(ctx, s)
	if err != nil {
		return nil, err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	rows := make([]*peer, len(counts))
	for i, n := range counts {
		rows[i] = &peer{name: fmt.Sprintf("%d workers", n), program: program{path: s.Shuffle, args: []string{"work"}, env: env}}
	}
	err = s.inTurn(rows, func(p *peer) error {
		n := counts[slices.Index(rows, p)]
		if p.tasks, err = w.publish(ctx, w.unsorted(w.Episodes), episodes(n)); err != nil {
			return err
		}
		return p.work(ctx, w, n, limit)
	})
	return rows, err
}

// work measures n workers that run at the same time, until the tasks are done.
func (p *peer) work(ctx context.Context, w *world, n, limit int) error {
	if err := w.server.configure(ctx, w.options(limit)); err != nil {
		return err
	}
	m, err := w.measureDuring(ctx, w.endWhenDone, slices.Repeat([]program{p.program}, n)...)
	if err != nil {
		return err
	}
	done, err := w.takeResults(ctx, p.tasks)
	m.shares = share(done, n)
	p.rounds = append(p.rounds, m)
	return err
}

// endWhenDone ends workers when the queue has no task left.
func (w *world) endWhenDone(ctx context.Context, workers []*running) (err error) {
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for left := 1; left > 0; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-workers[0].ended: // the worker ended by itself, and its log has the reason
			return nil
		case <-look.C:
		}
		if left, err = w.server.messages(ctx, tasksQueue); err != nil {
			return err
		}
	}
	return endAll(workers)
}

func endAll(all []*running) (err error) {
	for _, r := range all {
		err = errors.Join(err, r.end())
	}
	return err
}

// share returns the number of tasks of each worker relative to the mean.
func share(done map[string]int, workers int) spread {
	var all []float64
	sum := 0
	for _, n := range done {
		sum += n
	}
	for _, n := range done {
		all = append(all, float64(n*workers)/float64(sum))
	}
	for len(all) < workers { // a worker without a task sends no result
		all = append(all, 0)
	}
	return spreadOf(all...)
}
