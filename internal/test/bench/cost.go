package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/test/benchserver"
)

// costCmd measures whole runs in three worlds: a new season, a season in which every frame moves,
// and a season without changes. The plan predicts the cost of the run's requests; the server counts
// them.
type costCmd struct {
	settings
}

// costRow is the result of one run.
type costRow struct {
	name            string
	frames, tasks   int
	planned, billed float64 // dollars
	stats           benchserver.Stats
}

// Prices in dollars per request (S3 Standard and SQS standard queues, us-west-2, 2026). Deletes are
// free.
const (
	priceWrite = 5e-6   // COPY, PUT, LIST
	priceRead  = 0.4e-6 // GET, HEAD
	priceSQS   = 0.4e-6 // for each 64 KiB
)

// bill returns the price of the requests at AWS.
func bill(s benchserver.Stats) float64 {
	of := func(kinds ...string) (n float64) {
		for _, kind := range kinds {
			n += float64(s.Requests[kind])
		}
		return n
	}
	return of("CopyObject", "PutObject", "ListObjectsV2")*priceWrite + of("GetObject", "HeadObject", "HeadBucket")*priceRead +
		float64(s.SQSBilled)*priceSQS
}

func (c *costCmd) Run(ctx *runContext) error {
	rows, err := c.measure(ctx)
	if err == nil {
		printCosts(ctx.out, rows)
	}
	return err
}

func printCosts(out *strings.Builder, rows []costRow) {
	t := newTable(out, "a season", "frames", "tasks", "the plan says", "the server counts", "difference", "S3 requests a task", "SQS requests a task")
	for _, r := range rows {
		sqs := r.stats.SQSRequests()
		t.row(r.name, r.frames, r.tasks, fmt.Sprintf("$%.4f", r.planned), fmt.Sprintf("$%.4f", r.billed),
			fmt.Sprintf("%+.1f%%", 100*(r.planned-r.billed)/r.billed), r.each(r.stats.Total()-sqs), r.each(sqs))
	}
	for _, r := range rows {
		fmt.Fprintf(out, "\n%s: requests %v, to SQS as billed %d\n", r.name, r.stats.Requests, r.stats.SQSBilled)
	}
}

// each returns a number of requests for each task.
func (r costRow) each(requests int) string {
	if r.tasks == 0 {
		return fmt.Sprint(requests, " in all")
	}
	return fmt.Sprintf("%.3f", float64(requests)/float64(r.tasks))
}

func (c *costCmd) measure(ctx context.Context) (rows []costRow, err error) {
	w, err := newWorld(ctx, c.settings)
	if err != nil {
		return nil, err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	for _, world := range []struct {
		name string
		fill func() error
	}{
		{"is new", func() error { return w.fill(ctx, bucketName) }},
		{"moves", func() error { return w.fill(ctx, bucketName, w.unsorted(c.Episodes)...) }},
		// The previous run has left the datasets up to date.
		{"is as it should be", func() error { return nil }},
	} {
		say("a season that %s", world.name)
		if err := world.fill(); err != nil {
			return nil, err
		}
		row, err := w.cost(ctx)
		if err != nil {
			return nil, err
		}
		row.name = world.name
		rows = append(rows, row)
	}
	return rows, nil
}

// cost measures one run in the present world.
func (w *world) cost(ctx context.Context) (row costRow, err error) {
	if err := w.server.configure(ctx, w.options(0)); err != nil {
		return row, err
	}
	m, err := w.measure(ctx, program{path: w.Shuffle, args: []string{"run", "--seed", seed}})
	if err != nil {
		return row, err
	}
	store, pointer, err := w.current(ctx)
	if err != nil {
		return row, err
	}
	plan, err := store.ReadPlan(ctx, pointer.Run)
	if err != nil {
		return row, err
	}
	return costRow{frames: len(w.images), tasks: plan.Tasks, planned: plan.CostUSD, billed: bill(m.server.Stats), stats: m.server.Stats}, nil
}
