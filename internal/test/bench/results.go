package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/messages"
)

// resultsCmd sends the results of a season at a constant rate, as several workers do, and measures
// how far the tracker's ledger lags behind.
type resultsCmd struct {
	settings
	Rate    int `help:"Results a second." default:"5000"`
	Workers int `help:"Workers that they seem to come from: each sends a message every 100 ms." default:"4"`
}

// flood is the result of the measurement.
type flood struct {
	results int
	took    time.Duration // from the first to the last sent message
	behind  spread        // seconds
	last    time.Duration // from the last sent message until the ledger is complete
	memory  int64         // the tracker's peak until then, in bytes
	tracker measured      // until the tracker ends, with verification and dataset version
}

func (c *resultsCmd) Run(ctx *runContext) error {
	f, err := c.measure(ctx)
	if err == nil {
		f.print(ctx.out)
	}
	return err
}

func (f flood) print(out *strings.Builder) {
	t := newTable(out, "results", "results/s", "behind", "the last one counted after", "CPU a result", "peak memory", "peak memory with verification", "requests a 1,000 results")
	t.row(f.results, perSecond(f.results, f.took), f.behind.in(" s", 1), f.last,
		fmt.Sprintf("%.1f µs", float64(f.tracker.cpu.Microseconds())/float64(f.results)), bytesSize(f.memory), bytesSize(f.tracker.memory),
		1000*float64(f.tracker.server.Total())/float64(f.results))
}

func (c *resultsCmd) measure(ctx context.Context) (f flood, err error) {
	w, err := newWorld(ctx, c.settings)
	if err != nil {
		return f, err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	say("publish the tasks of %d frames", len(w.images))
	if f.results, err = w.publish(ctx, nil, c.Episodes); err != nil {
		return f, err
	}
	tasks, err := w.tasks(ctx)
	if err != nil {
		return f, err
	}
	copied := make([]string, len(tasks)) // the keys that workers would write
	for i, t := range tasks {
		copied[i] = t.Dst
	}
	if err := w.server.add(ctx, bucketName, copied); err != nil {
		return f, err
	}
	if err := w.server.configure(ctx, w.options(0)); err != nil {
		return f, err
	}
	say("%d results", f.results)
	f.tracker, err = w.measureDuring(ctx, func(ctx context.Context, running []*running) error {
		if err := c.send(ctx, w, &f, tasks); err != nil {
			return err
		}
		f.memory = peakMemory(running[0].cmd.Process.Pid)
		return nil
	}, program{path: c.Shuffle, args: []string{"track", "--until-done"}})
	return f, err
}

// send sends a result for each task at the rate, and waits until the tracker has counted all.
func (c *resultsCmd) send(ctx context.Context, w *world, f *flood, tasks []messages.Task) error {
	q, err := w.queue(ctx, resultsQueue)
	if err != nil {
		return err
	}
	store, pointer, err := w.current(ctx)
	if err != nil {
		return err
	}
	var behind []float64
	// The time for which a worker collects results for a message.
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	begun := time.Now()
	sent, counted, ended := 0, 0, begun
	for n := 0; counted < len(tasks); n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if sent < len(tasks) {
			due := min(int(time.Since(begun).Seconds()*float64(c.Rate)), len(tasks))
			if err := queue.SendAll(ctx, q, c.messages(tasks[sent:due])); err != nil {
				return err
			}
			sent, ended = due, time.Now()
		}
		if n%lookEvery == 0 || sent == len(tasks) {
			progress, err := store.ReadProgress(ctx, pointer.Run, len(tasks))
			if err != nil {
				return err
			}
			counted = progress.Done
			behind = append(behind, float64(sent-counted)/float64(c.Rate))
		}
	}
	f.took, f.behind, f.last = ended.Sub(begun), spreadOf(behind...), time.Since(ended)
	return nil
}

// lookEvery is the number of messages of each worker between two reads of the ledger, which the
// tracker writes about once a second.
const lookEvery = 5

// messages returns the results of the tasks, in one message of each worker.
func (c *resultsCmd) messages(tasks []messages.Task) (entries []queue.Entry) {
	for i := range c.Workers {
		var told messages.Results
		for n := i; n < len(tasks); n += c.Workers {
			t := tasks[n]
			told.V, told.Run, told.Gen, told.Worker = messages.Version, t.Run, t.Gen, fmt.Sprint("worker-", i)
			told.Results = append(told.Results, messages.Result{Seq: t.Seq, Outcome: t.Op.Done(), ETag: t.SrcETag, Attempts: 1})
		}
		if len(told.Results) > 0 {
			entries = append(entries, queue.Entry{Body: told.Encode()})
		}
	}
	return entries
}
