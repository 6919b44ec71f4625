package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// process is a running program.
type process struct {
	t         *testing.T
	args      []string
	cmd       *exec.Cmd
	out, logs *screenful
	ended     chan struct{} // closed when the process has ended
}

// screenful is the output of a process so far.
type screenful struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screenful) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screenful) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// start starts the program in the folder. A process that still runs at the test's end is killed.
func start(t *testing.T, dir string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, args: args, cmd: exec.Command(binaryPath, args...), out: &screenful{}, logs: &screenful{}, ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = dir, env, p.out, p.logs, testenv.DiesWithParent()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // code reads the exit code
	}()
	t.Cleanup(p.kill)
	return p
}

// bound is the time limit of every wait, for a busy machine.
const bound = 4 * time.Minute

// anyCode allows any exit code.
const anyCode = -2

// wait waits for the end of the process, with the expected exit code.
func (p *process) wait(code int) (out, logs string) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(bound):
		p.t.Fatalf("shuffle %q has not ended after %s\n%s\n%s", p.args, bound, p.out, p.logs)
	}
	if got := p.code(); got != code && code != anyCode {
		p.t.Fatalf("shuffle %q: exit code %d, expected %d\n%s\n%s", p.args, got, code, p.out, p.logs)
	}
	return p.out.String(), p.logs.String()
}

// code is the exit code of a process that has ended; -1 of a killed one.
func (p *process) code() int { return p.cmd.ProcessState.ExitCode() }

// kill is kill -9. It has no effect on a process that has already ended.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// killAfter kills the process after this time, unless it has ended by then.
func (p *process) killAfter(d time.Duration) {
	select {
	case <-p.ended:
	case <-time.After(d):
		p.kill()
	}
}

func (p *process) signal(s os.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Error(err)
	}
}

// up reports whether the process has logged something, and so is ready for a signal.
func (p *process) up() bool { return p.logs.String() != "" }

// running reports whether the process still runs.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// await waits until the condition is true.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(bound); !holds(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %s not yet: %s", bound, what)
		}
	}
}

// awaitOf is await for a condition that must become true before a process ends.
func awaitOf(p *process, what string, holds func() bool) {
	p.t.Helper()
	await(p.t, what, func() bool { return holds() || !p.running() })
	if !holds() {
		p.t.Fatalf("shuffle %q ended before: %s\n%s\n%s", p.args, what, p.out, p.logs)
	}
}
