package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// memoryCmd measures the memory of every program that reads or writes dataset versions: in the run
// of a whole season, and in a later run of a few frames of one episode.
type memoryCmd struct {
	settings
	Change int `help:"Frames of the second run." default:"12"`
}

// memoryRow is the result for one program.
type memoryRow struct {
	name     string
	measured measured
}

func (c *memoryCmd) Run(ctx *runContext) error {
	frames, rows, err := c.measure(ctx)
	t := newTable(ctx.out, "program", "wall", "CPU", "peak memory", "LIST", "GET", "PUT")
	for _, r := range rows {
		n := r.measured.server.Requests
		t.row(r.name, r.measured.wall.Round(10*time.Millisecond), r.measured.cpu.Round(10*time.Millisecond), bytesSize(r.measured.memory), n["ListObjectsV2"], n["GetObject"], n["PutObject"])
	}
	fmt.Fprintf(ctx.out, "\n%d episodes, %d images, %d in the datasets\n", c.Episodes, c.Episodes*c.Frames, frames)
	return err
}

func (c *memoryCmd) measure(ctx context.Context) (frames int, rows []memoryRow, err error) {
	w, err := newWorld(ctx, c.settings)
	if err != nil {
		return 0, nil, err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	measure := func(name string, during func(context.Context, []*running) error, programs ...program) error {
		if err := w.server.configure(ctx, w.options(0)); err != nil { // this also resets the counts
			return err
		}
		say("%s", name)
		m, err := w.measureDuring(ctx, during, programs...)
		rows = append(rows, memoryRow{name, m})
		return err
	}
	shuffle := func(args ...string) program { return program{path: c.Shuffle, args: args} }
	if err := w.fill(ctx, bucketName); err != nil {
		return 0, rows, err
	}
	if err := measure("plan, all", nil, shuffle("plan", "--seed", seed)); err != nil {
		return 0, rows, err
	}
	tasks, err := w.tasks(ctx)
	if err != nil {
		return 0, rows, err
	}
	frames = len(tasks)
	copied := make([]string, len(tasks)) // the keys that workers would write
	for i, t := range tasks {
		copied[i] = t.Dst
	}
	if err := w.server.add(ctx, bucketName, copied); err != nil {
		return frames, rows, err
	}
	results := resultsCmd{settings: c.settings, Rate: 5000, Workers: 16}
	all := func(ctx context.Context, _ []*running) error { return results.send(ctx, w, &flood{}, tasks) }
	if err := measure("track, all", all, shuffle("track", "--until-done")); err != nil {
		return frames, rows, err
	}
	tasks = nil
	// A worker would first receive these tasks, which are applied already.
	published, err := w.queue(ctx, tasksQueue)
	if err != nil {
		return frames, rows, err
	}
	if err := published.(interface{ PurgeQueue(context.Context) error }).PurgeQueue(ctx); err != nil {
		return frames, rows, err
	}
	_, first, err := w.current(ctx)
	if err != nil {
		return frames, rows, err
	}
	w.season.Episodes[0].Relabel(c.Change)
	if err := w.season.WriteSheets(w.sheets()); err != nil {
		return frames, rows, err
	}
	if err := measure("plan, change", nil, shuffle("plan", "--episode", string(w.season.Episodes[0].Episode))); err != nil {
		return frames, rows, err
	}
	if _, err := w.measure(ctx, shuffle("work", "--exit-when-idle", "5s")); err != nil {
		return frames, rows, err
	}
	_, second, err := w.current(ctx)
	if err != nil {
		return frames, rows, err
	}
	from, to := fmt.Sprint(first.Generation), fmt.Sprint(second.Generation)
	dir := filepath.Join(w.dir, "pulled")
	for _, p := range []struct {
		name string
		program
	}{
		{"track, change", shuffle("track", "--until-done")},
		{"verify", shuffle("verify")},
		{"versions A B", shuffle("versions", from, to)},
		{"versions A, the first", shuffle("versions", from, "--json")},
		{"restore", shuffle("restore", from, "--dry-run")},
		{"pull --dataset validate", shuffle("pull", "--dataset", "validate", dir)},
	} {
		if err := measure(p.name, nil, p.program); err != nil && !strings.HasPrefix(p.name, "pull") {
			return frames, rows, err
		}
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return frames, rows, err
	}
	err = measure("dashboard", visit(address), shuffle("track", "--http", address))
	return frames, rows, err
}
