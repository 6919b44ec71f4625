package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/angel-nft/google-shuffle/internal/test/benchserver"
)

// benchFast are the server's settings for steps that are not measured.
var benchFast = benchserver.Options{}

// program is a program to run as a process.
type program struct {
	path string
	args []string
	env  []string
}

// used is the resources that one process used.
type used struct {
	wall   time.Duration
	cpu    time.Duration // user and system
	memory int64         // peak memory in bytes; 0 when /proc does not have it
}

// measured is the resources that one or several processes used.
type measured struct {
	used          // the wall time of the last to end, the CPU time of all, the largest peak memory
	each   []used // in the order of the programs
	server usage  // their requests to the server, and its CPU time for them
	shares spread // of the workers, see share
}

// measure runs programs at the same time until all have ended.
func (w *world) measure(ctx context.Context, programs ...program) (measured, error) {
	return w.measureDuring(ctx, nil, programs...)
}

// measureDuring runs programs and calls do meanwhile. When do fails, it ends the programs.
func (w *world) measureDuring(ctx context.Context, do func(context.Context, []*running) error, programs ...program) (m measured, err error) {
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	before, err := w.server.usage(ctx)
	if err != nil {
		return m, err
	}
	all := make([]*running, 0, len(programs))
	for _, p := range programs {
		r, err := p.start(ctx, w.logs(p))
		if err != nil {
			return m, err
		}
		all = append(all, r)
	}
	if do != nil {
		if err = do(ctx, all); err != nil {
			kill()
		}
	}
	for _, r := range all {
		err = errors.Join(err, r.wait())
		m.add(r.used)
	}
	if err != nil {
		return m, err
	}
	m.server, err = w.server.usage(ctx)
	m.server.CPU -= before.CPU
	return m, err
}

func (m *measured) add(u used) {
	m.each = append(m.each, u)
	m.wall, m.cpu, m.memory = max(m.wall, u.wall), m.cpu+u.cpu, max(m.memory, u.memory)
}

// running is a process. used and err are valid after ended is closed.
type running struct {
	program
	used
	err   error
	cmd   *exec.Cmd
	log   string // the file of its standard error
	begun time.Time
	ended chan struct{}
}

func (p program) start(ctx context.Context, log string) (*running, error) {
	r := &running{program: p, cmd: exec.CommandContext(ctx, p.path, p.args...), log: log, ended: make(chan struct{})} //nolint:gosec // The caller chooses the program.
	stderr, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer stderr.Close() //nolint:errcheck // The process has its own.
	r.cmd.Env = append(os.Environ(), p.env...)
	r.cmd.Stderr = stderr
	r.begun = time.Now()
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("run %s: %w; make bench-peers builds it", p.path, err)
	}
	go r.watch()
	return r, nil
}

// watch reads the memory at intervals. (The system's value for an ended process includes the memory
// of its parent.)
func (r *running) watch() {
	defer close(r.ended)
	exited := make(chan error, 1)
	go func() { exited <- r.cmd.Wait() }()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-exited:
			r.wall, r.cpu = time.Since(r.begun), r.cmd.ProcessState.UserTime()+r.cmd.ProcessState.SystemTime()
			r.err = r.judge(err)
			return
		case <-look.C:
			r.memory = max(r.memory, peakMemory(r.cmd.Process.Pid))
		}
	}
}

func (r *running) wait() error {
	<-r.ended
	return r.err
}

// end interrupts the process, as a scheduler does.
func (r *running) end() error {
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end %s: %w", r.path, err)
	}
	return nil
}

func (r *running) judge(err error) error {
	if err == nil {
		return nil
	}
	logs, _ := os.ReadFile(r.log)
	return fmt.Errorf("run %s %q: %w\n%s", r.path, r.args, err, tail(logs))
}

func tail(text []byte) []byte { return text[max(0, len(text)-2000):] }

// peakMemory returns the peak memory of a process so far, in bytes. It works only on Linux.
func peakMemory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	return highWater(status)
}

// highWater parses /proc/PID/status: proc_pid_status(5). It returns 0 when the value is missing, as
// for a process that has just ended.
func highWater(status []byte) int64 {
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kib int64
	if _, err := fmt.Sscan(string(after), &kib); err != nil {
		return 0
	}
	return kib << 10
}
