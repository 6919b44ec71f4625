package main

import (
	"fmt"
	"io"
	"time"
)

// planCmd measures how long it takes to see that nothing has changed: a season of 12 episodes that stands in the datasets as its
// sheets say. s5cmd only lists the same keys, and compares nothing.
type planCmd struct {
	settings
}

func (c *planCmd) Run(ctx *runContext) error {
	w, err := newWorld(ctx, c.settings)
	if err != nil {
		return err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	keys, err := w.wanted(ctx)
	if err != nil {
		return err
	}
	if err := w.fill(ctx, bucketName, keys...); err != nil {
		return err
	}
	rows := []*peer{{name: "shuffle plan --dry-run", program: program{path: c.Shuffle, args: []string{"plan", "--dry-run", "--seed", seed}}}}
	if c.S5cmd != "" {
		rows = append(rows, &peer{name: "s5cmd ls", program: w.s5cmd("ls", fmt.Sprintf("s3://%s/%s/*", bucketName, w.season.Options.Prefix))})
	}
	err = c.inTurn(rows, func(p *peer) error { return p.measure(ctx, w, 0) })
	if err == nil {
		printPlans(ctx.out, rows, len(keys)+len(w.images))
	}
	return err
}

func printPlans(out io.Writer, rows []*peer, keys int) {
	t := newTable(out, "program", "keys", "wall", "CPU", "CPU of the server", "peak memory", "LIST requests")
	for _, p := range rows {
		t.row(p.name, keys, p.rounds.wall(), p.rounds.seconds(func(m measured) time.Duration { return m.cpu }),
			p.rounds.seconds(func(m measured) time.Duration { return m.server.CPU }), p.rounds.memory(),
			p.rounds.typical().server.Requests["ListObjectsV2"])
	}
}
