package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/messages"
)

// peersCmd measures one season in which every frame moves: each frame is copied to its class, and
// deleted in an old class.
type peersCmd struct {
	settings
	Serial int `help:"Copies of the serial loop, which would take too long with all." default:"250"`
}

// peer is a row of the table.
type peer struct {
	name   string
	bucket string
	tasks  int
	left   int // frames in the datasets afterwards; for a plan, the keys that it lists
	program
	rounds rounds
}

func (c *peersCmd) Run(ctx *runContext) error {
	peers, err := c.measure(ctx)
	if err == nil {
		printPeers(ctx.out, peers)
	}
	return err
}

func (c *peersCmd) measure(ctx context.Context) ([]*peer, error) {
	w, err := newWorld(ctx, c.settings)
	if err != nil {
		return nil, err
	}
	defer w.close() //nolint:errcheck // A temporary folder and a process that ends by itself.
	peers, err := c.peers(ctx, w)
	if err != nil {
		return nil, err
	}
	return peers, c.inTurn(peers, func(p *peer) error { return p.run(ctx, w) })
}

// inTurn measures all peers in each round, so that other load on the machine affects all of them
// equally.
func (s settings) inTurn(peers []*peer, measure func(*peer) error) error {
	for round := range s.Rounds {
		for _, p := range peers {
			say("round %d of %d: %s", round+1, s.Rounds, p.name)
			if err := measure(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// peers returns the program first. The others execute its plan.
func (c *peersCmd) peers(ctx context.Context, w *world) ([]*peer, error) {
	tasks, err := w.review(ctx, w.unsorted(c.Episodes)...)
	if err != nil {
		return nil, err
	}
	all, few := len(tasks), min(c.Serial, len(tasks))
	peers := []*peer{{name: "shuffle run: plan, copies, deletes, verify", bucket: bucketName, tasks: all, left: all,
		program: program{path: c.Shuffle, args: []string{"run", "--seed", seed}}}}
	if c.S5cmd != "" {
		commands, err := w.write("s5cmd.txt", s5cmdCommands(tasks, "s5cmd"))
		if err != nil {
			return nil, err
		}
		peers = append(peers, &peer{name: "s5cmd run: copies, deletes", bucket: "s5cmd", tasks: all, left: all,
			program: w.s5cmd("--numworkers", fmt.Sprint(c.Parallel), "--log", "error", "run", commands)})
	}
	if c.Rclone != "" {
		peers = append(peers, &peer{name: "rclone move: listing, copies, deletes", bucket: "rclone", tasks: all, left: all, program: w.rcloneMove("rclone")})
	}
	bare, err := w.loop("bare", tasks, c.Parallel)
	if err != nil {
		return nil, err
	}
	serial, err := w.loop("serial", tasks[:few], 1)
	return append(peers,
		&peer{name: "bare SDK loop: copies only", bucket: "bare", tasks: all, left: 2 * all, program: bare},
		&peer{name: "serial SDK loop: copies only", bucket: "serial", tasks: few, left: all + few, program: serial},
	), err
}

// seed is the seed of the split. It is fixed, so every plan is the same.
const seed = "bench"

// review saves a plan of the season, and returns its tasks. The bucket also holds the further keys.
func (w *world) review(ctx context.Context, further ...string) ([]messages.Task, error) {
	if err := w.fill(ctx, bucketName, further...); err != nil {
		return nil, err
	}
	if _, err := w.measure(ctx, program{path: w.Shuffle, args: []string{"plan", "--review", "--seed", seed}}); err != nil {
		return nil, err
	}
	return w.tasks(ctx)
}

func (w *world) s5cmd(args ...string) program {
	return program{path: w.S5cmd, args: append([]string{"--endpoint-url", w.server.AWS}, args...)}
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

// rcloneMove moves the same frames, all to one class, because rclone accepts no destination for
// each frame. Like the others it copies within the bucket and deletes. It compares the ETags of its
// listings, because its other modes send a request for each object.
func (w *world) rcloneMove(bucket string) program {
	of := func(class string) string { return "s3:" + bucket + "/" + w.layout().ML() + "train/" + class }
	parallel := fmt.Sprint(w.Parallel)
	return program{
		path: w.Rclone,
		args: []string{"move", of(unsortedClass), of("Common"), "--checksum", "--transfers", parallel, "--checkers", parallel},
		env: []string{"RCLONE_CONFIG_S3_TYPE=s3", "RCLONE_CONFIG_S3_PROVIDER=Other", "RCLONE_CONFIG_S3_ENV_AUTH=true", "RCLONE_CONFIG_S3_ENDPOINT=" + w.server.AWS,
			"RCLONE_CONFIG_S3_LIST_VERSION=2", "RCLONE_CONFIG_S3_FORCE_PATH_STYLE=true", "RCLONE_CONFIG_S3_NO_CHECK_BUCKET=true", "RCLONE_CONFIG=" + os.DevNull},
	}
}

// loop returns the plain loop over a bucket of its own.
func (w *world) loop(bucket string, tasks []messages.Task, parallel int) (program, error) {
	self, err := os.Executable()
	if err != nil {
		return program{}, err
	}
	pairs, err := w.write(bucket+".txt", copyPairs(tasks))
	return program{path: self, args: []string{"copy", "--parallel", fmt.Sprint(parallel), bucket, pairs}}, err
}

func copyPairs(tasks []messages.Task) (lines []string) {
	for _, t := range tasks {
		if t.Src != "" {
			lines = append(lines, t.Src+" "+t.Dst)
		}
	}
	return lines
}

// run measures one round, in a bucket with its initial content.
func (p *peer) run(ctx context.Context, w *world) error {
	if err := w.fill(ctx, p.bucket, w.unsorted(w.Episodes)...); err != nil {
		return err
	}
	if err := p.measure(ctx, w); err != nil {
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

// measure measures one round, in a bucket that is ready.
func (p *peer) measure(ctx context.Context, w *world) error {
	if err := w.server.configure(ctx, w.options(0)); err != nil {
		return err
	}
	m, err := w.measure(ctx, p.program)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.rounds = append(p.rounds, m)
	return nil
}

func printPeers(out *strings.Builder, peers []*peer) {
	t := newTable(out, "program", "tasks", "wall", "tasks/s", "CPU a task", "CPU of the server", "peak memory", "connections", "requests a task")
	for _, p := range peers {
		t.row(p.name, p.tasks, p.rounds.wall(), perSecond(p.tasks, p.rounds.typical().wall), p.rounds.cpuPerTask(p.tasks),
			p.rounds.perTask(p.tasks, func(m measured) time.Duration { return m.server.CPU }), p.rounds.memory(), p.rounds.connections(),
			float64(p.rounds.typical().server.Total())/float64(p.tasks))
	}
	for _, p := range peers {
		fmt.Fprintf(out, "\n%s: requests %v\n", p.name, p.rounds.typical().server.Requests)
	}
}

func perSecond(n int, d time.Duration) string { return fmt.Sprintf("%.0f", float64(n)/d.Seconds()) }
