package main

import (
	"context"
	"fmt"
	"math"
	"strings"
)

// growCmd measures new seasons of different sizes, each from the plan to the verified end, and then
// shuffle verify. The growth of a figure is the exponent x of episodes^x between the smallest and
// the largest season. With 0 the figure does not grow, with 1 it grows in proportion to the season.
type growCmd struct {
	settings
	Sizes   []int `help:"Episodes of the seasons. One that the memory of this machine cannot hold beside the programs is left out." default:"12,36,120"`
	Workers int   `help:"Workers at a time." default:"2"`
}

// growth is the measured cost of one season.
type growth struct {
	episodes, frames         int
	planner, tracker, verify used
}

func (c *growCmd) Run(ctx *runContext) error {
	rows, err := c.measure(ctx)
	if err == nil {
		printGrowth(ctx.out, rows)
	}
	return err
}

func (c *growCmd) measure(ctx context.Context) (rows []growth, err error) {
	perFrame := int64(0) // memory of the server in bytes
	for _, n := range c.Sizes {
		need := int64(n*c.Frames) * perFrame
		if left := memoryLeft(); left > 0 && need > left*8/10 {
			say("%d episodes are left out: the server would need %d MB, and %d MB are left", n, need>>20, left>>20)
			break
		}
		say("%d episodes", n)
		row, server, err := c.season(ctx, n)
		if err != nil {
			return rows, err
		}
		perFrame = server / int64(row.frames)
		rows = append(rows, row)
	}
	return rows, nil
}

// season measures one season, and returns the server's peak memory.
func (c *growCmd) season(ctx context.Context, episodes int) (g growth, server int64, err error) {
	s := c.settings
	s.Episodes = episodes
	w, err := newWorld(ctx, s)
	if err != nil {
		return g, 0, err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	if err := w.fill(ctx, bucketName); err != nil {
		return g, 0, err
	}
	b, err := w.backlog(ctx, c.Workers)
	if err != nil {
		return g, 0, err
	}
	verified, err := w.measure(ctx, program{path: w.Shuffle, args: []string{"verify"}})
	g = growth{episodes: episodes, frames: len(w.images), planner: b.planner.used, tracker: b.draining.each[c.Workers], verify: verified.used}
	return g, peakMemory(w.server.process.Process.Pid), err
}

func printGrowth(out *strings.Builder, rows []growth) {
	t := newTable(out, "process", "frames", "wall", "CPU", "peak memory")
	for _, process := range []struct {
		name string
		of   func(growth) used
	}{
		{"planner", func(g growth) used { return g.planner }},
		{"tracker, while two workers work and it verifies", func(g growth) used { return g.tracker }},
		{"verify", func(g growth) used { return g.verify }},
	} {
		for _, g := range rows {
			u := process.of(g)
			t.row(process.name, g.frames, u.wall, u.cpu, bytesSize(u.memory))
		}
		if len(rows) > 1 {
			first, last := rows[0], rows[len(rows)-1]
			exponent := func(figure func(used) float64) string {
				return fmt.Sprintf("frames^%.2f", growthExponent(first.frames, last.frames, figure(process.of(first)), figure(process.of(last))))
			}
			t.row(process.name+": growth", fmt.Sprintf("%d to %d", first.frames, last.frames),
				exponent(func(u used) float64 { return u.wall.Seconds() }), exponent(func(u used) float64 { return u.cpu.Seconds() }),
				exponent(func(u used) float64 { return float64(u.memory) }))
		}
	}
}

// growthExponent is x in last = first · (n1/n0)^x.
func growthExponent(n0, n1 int, first, last float64) float64 {
	if first <= 0 || last <= 0 || n0 == n1 {
		return 0
	}
	return math.Log(last/first) / math.Log(float64(n1)/float64(n0))
}
