package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/angel-nft/google-shuffle/messages"
)

// peersCmd measures one season that has to move as a whole: each frame is copied to its class and deleted in an old one.
type peersCmd struct {
	settings
	Serial int `help:"Copies of the serial loop, which would take too long with all." default:"250"`
}

// peer is a row of the table.
type peer struct {
	name   string
	bucket string
	tasks  int
	left   int // frames that stand in the datasets afterwards
	program
	rounds []measured
}

func (c *peersCmd) Run(ctx *runContext) error {
	w, err := newWorld(ctx, c.settings)
	if err != nil {
		return err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	peers, err := c.peers(ctx, w)
	if err != nil {
		return err
	}
	for round := range c.Rounds {
		for _, p := range peers {
			say("round %d of %d: %s", round+1, c.Rounds, p.name)
			if err := p.run(ctx, w); err != nil {
				return err
			}
		}
	}
	printPeers(peers)
	return nil
}

// peers have the program first; the others do what its plan says.
func (c *peersCmd) peers(ctx context.Context, w *world) ([]*peer, error) {
	tasks, err := w.review(ctx, w.unsorted()...)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	commands, err := w.write("s5cmd.txt", s5cmdCommands(tasks, "s5cmd"))
	if err != nil {
		return nil, err
	}
	pairs, err := w.write("pairs.txt", copyPairs(tasks))
	if err != nil {
		return nil, err
	}
	few, err := w.write("few.txt", copyPairs(tasks[:min(c.Serial, len(tasks))]))
	if err != nil {
		return nil, err
	}
	peers := []*peer{
		{name: "shuffle run: plan, copies, deletes, verify", bucket: bucketName, tasks: len(tasks), left: len(tasks),
			program: program{path: c.Shuffle, args: []string{"run", "--seed", seed}}},
		{name: "s5cmd run: copies, deletes", bucket: "s5cmd", tasks: len(tasks), left: len(tasks), program: program{path: c.S5cmd,
			args: []string{"--endpoint-url", w.server.AWS, "--numworkers", fmt.Sprint(c.Parallel), "--log", "error", "run", commands}}},
		{name: "bare SDK loop: copies only", bucket: "bare", tasks: len(tasks), left: 2 * len(tasks),
			program: program{path: self, args: []string{"copy", "--parallel", fmt.Sprint(c.Parallel), "bare", pairs}}},
		{name: "serial SDK loop: copies only", bucket: "serial", tasks: min(c.Serial, len(tasks)), left: len(tasks) + min(c.Serial, len(tasks)),
			program: program{path: self, args: []string{"copy", "--parallel", "1", "serial", few}}},
	}
	if filepath.Base(c.S5cmd) == "." || c.S5cmd == "" {
		peers = append(peers[:1], peers[2:]...)
	}
	return peers, nil
}

// seed of the split, always the same one: every plan is then the same.
const seed = "bench"

// review saves a plan of the season, beside which the bucket holds further keys, and gives its tasks.
func (w *world) review(ctx context.Context, further ...string) ([]messages.Task, error) {
	if err := w.fill(ctx, bucketName, further...); err != nil {
		return nil, err
	}
	if _, err := w.measure(ctx, program{path: w.Shuffle, args: []string{"plan", "--review", "--seed", seed}}); err != nil {
		return nil, err
	}
	return w.tasks(ctx)
}

func s5cmdCommands(tasks []messages.Task, bucket string) (lines []string) {
	for _, t := range tasks {
		if t.Src != "" {
			lines = append(lines, fmt.Sprintf("cp s3://%s/%s s3://%s/%s", bucket, t.Src, bucket, t.Dst))
		}
	}
	for _, t := range tasks {
		for _, key := range t.Del {
			lines = append(lines, fmt.Sprintf("rm s3://%s/%s", bucket, key))
		}
	}
	return lines
}

func copyPairs(tasks []messages.Task) (lines []string) {
	for _, t := range tasks {
		if t.Src != "" {
			lines = append(lines, t.Src+" "+t.Dst)
		}
	}
	return lines
}

// run measures one round, in a bucket as at the beginning.
func (p *peer) run(ctx context.Context, w *world) error {
	if err := w.fill(ctx, p.bucket, w.unsorted()...); err != nil {
		return err
	}
	if err := p.measure(ctx, w, 0); err != nil {
		return err
	}
	if err := w.server.configure(ctx, benchFast); err != nil {
		return err
	}
	left, err := w.count(ctx, p.bucket, w.layout().ML())
	if err == nil && left != p.left {
		err = fmt.Errorf("%s: %d frames stand in the datasets, expected %d", p.name, left, p.left)
	}
	return err
}

// measure measures one round, of the program and others like it at the same time, on a bucket that is ready.
func (p *peer) measure(ctx context.Context, w *world, writesPerSecond int, others ...program) error {
	if err := w.server.configure(ctx, w.options(writesPerSecond)); err != nil {
		return err
	}
	m, err := w.measure(ctx, append(others, p.program)...)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.rounds = append(p.rounds, m)
	return nil
}

func printPeers(peers []*peer) {
	t := newTable("program", "tasks", "wall", "tasks/s", "CPU a task", "CPU of the server", "peak memory", "connections", "requests a task")
	for _, p := range peers {
		m := median(p.rounds)
		t.row(p.name, p.tasks, m.wall, perSecond(p.tasks, m.wall), perTask(m.cpu, p.tasks), perTask(m.server.CPU, p.tasks),
			bytesSize(m.memory), m.server.Connections, float64(m.server.Total())/float64(p.tasks))
	}
	for _, p := range peers {
		fmt.Printf("\n%s: requests %v\n", p.name, median(p.rounds).server.Requests)
	}
}
