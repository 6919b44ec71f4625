package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// backlogCmd publishes the tasks of many new episodes without workers, and then starts workers and
// a tracker until the run is verified.
type backlogCmd struct {
	settings
	Workers int `help:"Workers at a time." default:"2"`
}

// backlog is the measured cost of the planner, of each worker and, last, of the tracker.
type backlog struct {
	tasks    int
	planner  measured
	draining measured
}

func (c *backlogCmd) Run(ctx *runContext) error {
	b, err := c.measure(ctx)
	if err == nil {
		b.print(ctx.out)
	}
	return err
}

func (b backlog) print(out *strings.Builder) {
	t := newTable(out, "process", "tasks", "wall", "tasks/s", "CPU a task", "peak memory")
	row := func(name string, u used) {
		t.row(name, b.tasks, u.wall, perSecond(b.tasks, u.wall), fmt.Sprintf("%d µs", u.cpu.Microseconds()/int64(max(b.tasks, 1))), bytesSize(u.memory))
	}
	row("planner", b.planner.used)
	workers := len(b.draining.each) - 1
	for i, u := range b.draining.each[:workers] {
		row(fmt.Sprintf("worker %d of %d", i+1, workers), u)
	}
	row("tracker, verification included", b.draining.each[workers])
	fmt.Fprintf(out, "\nrequests of the planner %v\nof the others %v\n", b.planner.server.Requests, b.draining.server.Requests)
}

func (c *backlogCmd) measure(ctx context.Context) (b backlog, err error) {
	w, err := newWorld(ctx, c.settings)
	if err != nil {
		return b, err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	if err := w.fill(ctx, bucketName); err != nil {
		return b, err
	}
	return w.backlog(ctx, c.Workers)
}

// backlog plans the season without workers, and then starts workers and a tracker until the run is
// verified.
func (w *world) backlog(ctx context.Context, workers int) (b backlog, err error) {
	if err := w.server.configure(ctx, w.options(0)); err != nil {
		return b, err
	}
	say("publish the tasks of %d frames", len(w.images))
	if b.planner, err = w.measure(ctx, program{path: w.Shuffle, args: []string{"plan", "--seed", seed}}); err != nil {
		return b, err
	}
	_, pointer, err := w.current(ctx)
	if err != nil {
		return b, err
	}
	if err := w.server.configure(ctx, w.options(0)); err != nil {
		return b, err
	}
	b.tasks = pointer.Tasks
	say("work off %d tasks", b.tasks)
	all := slices.Repeat([]program{{path: w.Shuffle, args: []string{"work"}}}, workers)
	tracker := program{path: w.Shuffle, args: []string{"track", "--until-done"}}
	b.draining, err = w.measureDuring(ctx, func(_ context.Context, running []*running) error {
		<-running[workers].ended
		return endAll(running[:workers])
	}, append(all, tracker)...)
	return b, err
}
