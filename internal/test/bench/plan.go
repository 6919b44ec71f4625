package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// planCmd measures the time to find that nothing has changed, in a season of 12 episodes whose
// datasets equal the sheets. s5cmd only lists the same keys, and compares nothing.
type planCmd struct {
	settings
}

func (c *planCmd) Run(ctx *runContext) error {
	rows, err := c.measure(ctx)
	if err == nil {
		printPlans(ctx.out, rows)
	}
	return err
}

func (c *planCmd) measure(ctx context.Context) ([]*peer, error) {
	w, err := newWorld(ctx, c.settings)
	if err != nil {
		return nil, err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	wanted, err := w.wanted(ctx)
	if err != nil {
		return nil, err
	}
	if err := w.fill(ctx, bucketName, wanted...); err != nil {
		return nil, err
	}
	keys := len(wanted) + len(w.images)
	rows := []*peer{{name: "shuffle plan --dry-run", left: keys,
		program: program{path: c.Shuffle, args: []string{"plan", "--dry-run", "--seed", seed}}}}
	if c.S5cmd != "" {
		rows = append(rows, &peer{name: "s5cmd ls", left: keys, program: w.s5cmd("ls", fmt.Sprintf("s3://%s/%s/*", bucketName, w.season.Options.Prefix))})
	}
	return rows, c.inTurn(rows, func(p *peer) error { return p.measure(ctx, w) })
}

func printPlans(out *strings.Builder, rows []*peer) {
	t := newTable(out, "program", "keys", "wall", "CPU", "CPU of the server", "peak memory", "LIST requests")
	for _, p := range rows {
		t.row(p.name, p.left, p.rounds.wall(), p.rounds.seconds(func(m measured) time.Duration { return m.cpu }),
			p.rounds.seconds(func(m measured) time.Duration { return m.server.CPU }), p.rounds.memory(),
			p.rounds.typical().server.Requests["ListObjectsV2"])
	}
}
