package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// relabelled is the number of frames that a change relabels. Each is a copy and a delete.
const relabelled = 12

// changeCmd measures a small change in a large season, from the start of the plan to the run's
// verified end. Worker and tracker run and are idle. rclone syncs the whole season. s5cmd lists it
// and then executes the given copies and deletes.
type changeCmd struct {
	settings
}

// changeRow is the change by one program, or by one process of the program.
type changeRow struct {
	name   string
	rounds rounds
}

func (c *changeCmd) Run(ctx *runContext) error {
	rows, err := c.measure(ctx)
	printChanges(ctx.out, slices.DeleteFunc(rows, func(r *changeRow) bool { return len(r.rounds) == 0 }))
	return err
}

func printChanges(out *strings.Builder, rows []*changeRow) {
	t := newTable(out, "a change of twelve frames", "wall", "LIST requests", "all requests", "written beside copies", "CPU", "peak memory")
	for _, r := range rows {
		all := r.rounds.typical()
		t.row(r.name, r.rounds.wall(), all.server.Requests["ListObjectsV2"], all.server.Total(), fmt.Sprintf("%.1f MB", float64(all.server.PutBytes)/1e6),
			r.rounds.seconds(func(m measured) time.Duration { return m.cpu }), memories(r.rounds))
	}
	for _, r := range rows {
		fmt.Fprintf(out, "\n%s: requests %v\n", r.name, r.rounds.typical().server.Requests)
	}
}

// memories returns the memory of each process, in the order of their starts.
func memories(r rounds) string {
	var all []string
	for i := range r.typical().each {
		all = append(all, r.of(func(m measured) float64 { return float64(m.each[i].memory >> 20) }).in(" MB", 0))
	}
	return strings.Join(all, ", ")
}

func (c *changeCmd) measure(ctx context.Context) (rows []*changeRow, err error) {
	w, err := newWorld(ctx, c.settings)
	if err != nil {
		return nil, err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	own := &changeRow{name: "shuffle plan --episode: worker, tracker, planner"}
	rows = append(rows, own)
	if err := w.settle(ctx); err != nil {
		return nil, err
	}
	for round := range c.Rounds {
		say("round %d of %d: %s", round+1, c.Rounds, own.name)
		m, err := w.change(ctx)
		if err != nil {
			return nil, err
		}
		own.rounds = append(own.rounds, m)
	}
	tasks, err := w.tasks(ctx) // of the last round
	if err != nil {
		return nil, err
	}
	standing, err := w.keys(ctx, bucketName, w.layout().ML())
	if err != nil {
		return nil, err
	}
	before := map[string]string{} // by the key that a frame has after the change
	for _, t := range tasks {
		before[t.Dst] = t.Del[0]
	}
	if c.S5cmd != "" {
		commands, err := w.write("change.txt", s5cmdCommands(tasks, bucketName))
		if err != nil {
			return nil, err
		}
		list := w.s5cmd("ls", fmt.Sprintf("s3://%s/%s/*", bucketName, w.season.Options.Prefix))
		do := w.s5cmd("--numworkers", fmt.Sprint(c.Parallel), "--log", "error", "run", commands)
		row := &changeRow{name: "s5cmd ls and s5cmd run"}
		rows = append(rows, row)
		if err := w.repeat(ctx, row, func() error { return w.undo(ctx, bucketName, before) }, list, do); err != nil {
			return nil, err
		}
	}
	if c.Rclone != "" {
		row := &changeRow{name: "rclone sync of the season"}
		rows = append(rows, row)
		if err := w.rcloneChange(ctx, row, standing, before); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// settle runs the program until the datasets equal the sheets, with a dataset version.
func (w *world) settle(ctx context.Context) error {
	wanted, err := w.wanted(ctx)
	if err != nil {
		return err
	}
	if err := w.fill(ctx, bucketName, wanted...); err != nil {
		return err
	}
	_, err = w.measure(ctx, program{path: w.Shuffle, args: []string{"run", "--seed", seed}})
	return err
}

// idleBefore is the idle time of the services before a change. It is longer than a planner waits
// for the workers of the previous run.
var idleBefore = state.DefaultFence.Quiet() + 3*time.Second

// change relabels frames of the first episode while a worker and a tracker idle, and plans. Its
// wall time is from the start of the plan to the end of the run.
func (w *world) change(ctx context.Context) (m measured, err error) {
	e := w.season.Episodes[0]
	e.Relabel(relabelled)
	if err := e.WriteSheet(w.sheets()); err != nil {
		return m, err
	}
	var took time.Duration
	var before, after usage
	services := []program{{path: w.Shuffle, args: []string{"work"}}, {path: w.Shuffle, args: []string{"track"}}}
	var planned used
	m, err = w.measureDuring(ctx, func(ctx context.Context, running []*running) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(idleBefore):
		}
		if err := w.server.configure(ctx, w.options(0)); err != nil {
			return err
		}
		if before, err = w.server.usage(ctx); err != nil {
			return err
		}
		planner := program{path: w.Shuffle, args: []string{"plan", "--episode", string(e.Episode)}}
		begun := time.Now()
		plan, err := planner.start(ctx, w.logs(planner))
		if err != nil {
			return err
		}
		if err := plan.wait(); err != nil {
			return err
		}
		planned = plan.used
		if err := w.ended(ctx); err != nil {
			return err
		}
		took = time.Since(begun)
		if after, err = w.server.usage(ctx); err != nil {
			return err
		}
		return endAll(running)
	}, services...)
	m.each, m.wall, m.server = append(m.each, planned), took, after
	m.server.CPU -= before.CPU
	m.memory = max(m.memory, planned.memory)
	m.cpu += planned.cpu
	return m, err
}

// ended waits for the success of the newest run. It sends no request to the measured server.
func (w *world) ended(ctx context.Context) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		ptr, err := w.server.object(ctx, bucketName, w.layout().State()+"current.json")
		if err != nil {
			return err
		}
		var p state.Pointer
		if err := state.Unseal(ptr, &p); err != nil {
			return err
		}
		switch {
		case p.State == state.Succeeded && p.Tasks == relabelled:
			return nil
		case !p.State.Active():
			return fmt.Errorf("run %s of %d tasks is %s: %s", p.Run, p.Tasks, p.State, p.Reason)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}

// repeat calls ready and measures the programs one after the other, in each round.
func (w *world) repeat(ctx context.Context, row *changeRow, ready func() error, programs ...program) error {
	for round := range w.Rounds {
		say("round %d of %d: %s", round+1, w.Rounds, row.name)
		if err := errors.Join(w.server.configure(ctx, benchFast), ready(), w.server.configure(ctx, w.options(0))); err != nil {
			return err
		}
		var sum measured
		for _, p := range programs {
			m, err := w.measure(ctx, p)
			if err != nil {
				return fmt.Errorf("%s: %w", row.name, err)
			}
			sum.wall, sum.cpu, sum.memory, sum.server = sum.wall+m.wall, sum.cpu+m.cpu, max(sum.memory, m.memory), m.server
			sum.each = append(sum.each, m.used)
		}
		row.rounds = append(row.rounds, sum)
	}
	return nil
}

// undo moves the changed frames back to their former places.
func (w *world) undo(ctx context.Context, bucket string, before map[string]string) error {
	_, b, err := w.open(ctx, bucket)
	if err != nil {
		return err
	}
	for after, key := range before {
		if _, err := b.CopyObject(ctx, after, key, ""); err != nil {
			return err
		}
		if _, err := b.DeleteObjects(ctx, []string{after}); err != nil {
			return err
		}
	}
	return nil
}

// rcloneChange makes rclone sync the datasets with another folder in the bucket, which has the
// wanted season. rclone accepts no destination for each frame, so it needs that folder.
func (w *world) rcloneChange(ctx context.Context, row *changeRow, standing []string, before map[string]string) error {
	const bucket, wanted = "rclone", "wanted/"
	if err := w.server.fill(ctx, bucketName, nil); err != nil { // to free memory
		return err
	}
	var keys []string
	for _, key := range standing {
		keys = append(keys, wanted+strings.TrimPrefix(key, w.layout().ML()), key)
	}
	if err := w.server.fill(ctx, bucket, keys); err != nil {
		return err
	}
	p := w.rcloneMove(bucket)
	p.args = append([]string{"sync", "s3:" + bucket + "/" + wanted, "s3:" + bucket + "/" + w.layout().ML()}, p.args[3:]...)
	return w.repeat(ctx, row, func() error { return w.undo(ctx, bucket, before) }, p)
}

// keys lists the keys below a prefix.
func (w *world) keys(ctx context.Context, name, prefix string) (keys []string, err error) {
	if err := w.server.configure(ctx, benchFast); err != nil {
		return nil, err
	}
	err = w.walk(ctx, name, prefix, func(key string) { keys = append(keys, key) })
	return keys, err
}

// memoryLeft returns the free memory of this machine in bytes; 0 when /proc does not have it.
func memoryLeft() int64 {
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(info), "MemAvailable:")
	var kib int64
	if _, err := fmt.Sscan(after, &kib); err != nil {
		return 0
	}
	return kib << 10
}
