package faults_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/angel-nft/google-shuffle/internal/test/faults"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// process is one run of the program.
type process struct {
	name  string
	cmd   *exec.Cmd
	out   bytes.Buffer
	log   string // the file of its standard error
	ended chan struct{}
}

// start starts a run of the program. Its name is its access key, and a part of its endpoint for
// sheets, so the front can identify it.
func (w *world) start(name string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(w.dir, name+".log"), ended: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p.cmd = w.exec(args...)
	p.cmd.Env = slices.Concat(os.Environ(), w.env, []string{"AWS_ACCESS_KEY_ID=" + name, "AWS_SECRET_ACCESS_KEY=secret"})
	if w.endpoint != "" {
		p.cmd.Env = append(p.cmd.Env, "SHUFFLE_SHEETS_ENDPOINT="+w.endpoint+faults.SheetsPath+name+"/")
	}
	if w.program != "" {
		p.cmd.Path = w.program
	}
	if w.clock != nil {
		p.cmd.Path, p.cmd.Env = withClocks(), append(p.cmd.Env, w.clock(name).env())
	}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = w.dir, &p.out, log, testenv.DiesWithParent()
	err = p.cmd.Start()
	if err = errors.Join(err, log.Close()); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	w.mu.Lock()
	w.running[name] = p
	w.mu.Unlock()
	go func() {
		_ = p.cmd.Wait() // code reads the exit code
		close(p.ended)
	}()
	return p, nil
}

// exec builds a command of the program. Root may write to every folder. In a world of the embedded
// default the folder can be read-only, so the processes run without that right.
func (w *world) exec(args ...string) *exec.Cmd {
	if w.site != local || os.Getuid() != 0 {
		return exec.Command(program, args...)
	}
	return exec.Command("setpriv", append([]string{"--bounding-set=-dac_override,-dac_read_search", program}, args...)...)
}

// signal sends a signal to the process with that name, if there is one, and returns it. A service
// that ends is soon another process with the same name.
func (w *world) signal(name string, s syscall.Signal) *process {
	w.mu.Lock()
	p := w.running[name]
	w.mu.Unlock()
	if p == nil || p.over() {
		return nil
	}
	switch s {
	case syscall.SIGKILL:
		w.front.Did(faults.Killed, name)
	case syscall.SIGSTOP:
		w.front.Did(faults.Stopped, name)
	default:
		w.front.Event("%s to %s", s, name)
	}
	_ = p.cmd.Process.Signal(s) // the process may have ended just now
	return p
}

// kill kills a process, and waits until it has ended.
func (w *world) kill(name string) {
	if p := w.signal(name, syscall.SIGKILL); p != nil {
		<-p.ended
	}
}

func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// code waits for the exit code; it is -1 when a signal ended the process.
func (p *process) code(ctx context.Context) (int, error) {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("%s (%s) does not end: %w", p.name, strings.Join(p.cmd.Args[1:], " "), context.Cause(ctx))
	}
}

// service is a process that is started again when it ends, as by ECS, until the world ends.
type service struct {
	name  string
	args  []string
	pause func() time.Duration // before the next start
}

// serve keeps services running.
func (w *world) serve(services ...service) {
	for _, s := range services {
		w.services.Go(func() { w.supervise(s) })
	}
}

func (w *world) supervise(s service) {
	for w.ctx.Err() == nil {
		p, err := w.start(s.name, s.args...)
		if err != nil {
			w.broke(err)
			return
		}
		w.front.Event("%s started: %s", s.name, strings.Join(s.args, " "))
		select {
		case <-w.ctx.Done():
			_ = p.cmd.Process.Kill() // the process may have ended just now
			<-p.ended
			return
		case <-p.ended:
		}
		w.front.Event("%s ended: %s", s.name, p.cmd.ProcessState)
		wait(w.ctx, s.pause())
	}
}

// broke records the first violation.
func (w *world) broke(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failure == nil {
		w.failure = err
	}
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// until polls until the answer is yes.
func until(ctx context.Context, what string, patience time.Duration, is func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not within %s: %s", patience, what))
	defer cancel()
	for {
		ok, err := is(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil || ok:
			return err
		}
		wait(ctx, 100*time.Millisecond)
	}
}

// logsAreSane fails for panics and races in the logs of the processes, whatever their effect was.
func (w *world) logsAreSane() error {
	logs, err := filepath.Glob(filepath.Join(w.dir, "*.log"))
	if err != nil {
		return err
	}
	for _, path := range logs {
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, bad := range []string{"panic:", "fatal error:", "DATA RACE", "goroutine "} {
			if i := bytes.Index(body, []byte(bad)); i >= 0 {
				return fmt.Errorf("%s: %s", filepath.Base(path), body[i:min(i+2000, len(body))])
			}
		}
	}
	return nil
}

var program string // the file of the built program, for every test

// build builds the program, with the race detector when SHUFFLE_FAULTS_RACE=1.
var build = sync.OnceValue(func() error {
	if os.Getenv("SHUFFLE_FAULTS_RACE") == "1" {
		return compile(program, "-race")
	}
	return compile(program)
})

func compile(file string, flags ...string) error {
	args := slices.Concat([]string{"build", "-buildvcs=false", "-o", file}, flags, []string{"../../../cmd/shuffle"})
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return nil
}
