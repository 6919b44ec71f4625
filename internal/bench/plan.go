package main

import (
	"fmt"
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
	tasks, err := w.review(ctx)
	if err != nil {
		return err
	}
	var keys []string
	for _, t := range tasks {
		keys = append(keys, t.Dst)
	}
	if err := w.fill(ctx, bucketName, keys...); err != nil {
		return err
	}
	rows := []*peer{
		{name: "shuffle plan --dry-run", program: program{path: c.Shuffle, args: []string{"plan", "--dry-run", "--seed", seed}}},
		{name: "s5cmd ls", program: program{path: c.S5cmd, args: []string{"--endpoint-url", w.server.AWS, "ls",
			fmt.Sprintf("s3://%s/%s/*", bucketName, w.season.Options.Prefix)}}},
	}
	for round := range c.Rounds {
		for _, p := range rows {
			say("round %d of %d: %s", round+1, c.Rounds, p.name)
			if err := p.measure(ctx, w, 0); err != nil {
				return err
			}
		}
	}
	t := newTable("program", "keys", "wall", "CPU", "CPU of the server", "peak memory", "LIST requests")
	for _, p := range rows {
		m := median(p.rounds)
		t.row(p.name, len(keys)+len(w.images), m.wall, m.cpu, m.server.CPU, bytesSize(m.memory), m.server.Requests["ListObjectsV2"])
	}
	return nil
}
