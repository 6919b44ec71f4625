package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/angel-nft/google-shuffle/internal/benchserver"
)

// benchFast is for what is not measured.
var benchFast = benchserver.Options{}

// program is what is run as a process.
type program struct {
	path string
	args []string
	env  []string
}

// measured is what one process, or several at a time, took.
type measured struct {
	wall   time.Duration
	cpu    time.Duration // theirs
	memory int64         // bytes, of the one that had most; 0 where /proc does not tell
	server usage         // what they asked of the server, and its CPU for that
}

// measure runs programs at the same time until all have ended.
func (w *world) measure(ctx context.Context, programs ...program) (m measured, err error) {
	before, err := w.server.usage(ctx)
	if err != nil {
		return m, err
	}
	begun := time.Now()
	running := make([]*running, len(programs))
	for i, p := range programs {
		if running[i], err = p.start(ctx, w.logs(p)); err != nil {
			return m, err
		}
	}
	for _, r := range running {
		err = errors.Join(err, r.wait())
		m.cpu += r.cmd.ProcessState.UserTime() + r.cmd.ProcessState.SystemTime()
		m.memory = max(m.memory, r.memory)
	}
	m.wall = time.Since(begun)
	if err != nil {
		return m, err
	}
	m.server, err = w.server.usage(ctx)
	m.server.CPU -= before.CPU
	return m, err
}

type running struct {
	program
	cmd    *exec.Cmd
	log    string // the file of its standard error
	memory int64
	ended  chan error
}

func (p program) start(ctx context.Context, log string) (*running, error) {
	r := &running{program: p, cmd: exec.CommandContext(ctx, p.path, p.args...), log: log, ended: make(chan error, 1)} //nolint:gosec // What to run is what the caller names.
	stderr, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer stderr.Close() //nolint:errcheck // The process has its own.
	r.cmd.Env = append(os.Environ(), p.env...)
	r.cmd.Stderr = stderr
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("run %s: %w; make bench-peers builds it", p.path, err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	return r, nil
}

// wait looks at the memory now and then. (What the system tells of a process that has ended counts what its parent had.)
func (r *running) wait() error {
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-r.ended:
			return r.judge(err)
		case <-look.C:
			r.memory = max(r.memory, peakMemory(r.cmd.Process.Pid))
		}
	}
}

func (r *running) judge(err error) error {
	if err == nil {
		return nil
	}
	logs, _ := os.ReadFile(r.log)
	return fmt.Errorf("run %s %q: %w\n%s", r.path, r.args, err, tail(logs))
}

// peakMemory is the most memory that a process has had so far, in bytes; Linux tells.
func peakMemory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kib int64
	if _, err := fmt.Sscan(string(after), &kib); err != nil {
		return 0
	}
	return kib << 10
}

func tail(text []byte) []byte { return text[max(0, len(text)-2000):] }

// median is of each figure by itself; requests by kind are those of the round with the median wall.
func median(rounds []measured) measured {
	byWall := slices.SortedFunc(slices.Values(rounds), func(a, b measured) int { return int(a.wall - b.wall) })
	m := byWall[len(byWall)/2]
	m.cpu = middle(rounds, func(m measured) time.Duration { return m.cpu })
	m.memory = middle(rounds, func(m measured) int64 { return m.memory })
	m.server.CPU = middle(rounds, func(m measured) time.Duration { return m.server.CPU })
	m.server.Connections = middle(rounds, func(m measured) int { return m.server.Connections })
	return m
}

func middle[T int | int64 | time.Duration](rounds []measured, of func(measured) T) T {
	var all []T
	for _, m := range rounds {
		all = append(all, of(m))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
