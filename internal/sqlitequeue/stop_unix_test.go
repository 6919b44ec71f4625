//go:build unix

package sqlitequeue_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// TestStoppedProcess: a process that is stopped (SIGSTOP) in its long poll does not block others.
func TestStoppedProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queues.db")
	q := openQueue(t, path, tasks)
	send(t, q, []queue.Entry{{Body: "a"}})
	p := start(t, roleConsumer, path)
	for p.lines.Scan() && p.lines.Text() != "deleted a" {
	}
	stop(t, p)
	for range 50 {
		send(t, q, make10("b"))
		for _, m := range receive(t, q) {
			remove(t, q, []string{m.Receipt})
		}
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // It was killed.
}

// stop sends the signal and returns when the process has stopped.
func stop(t *testing.T, p *process) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("wait for the stop: status %v, error %v", status, err)
	}
}
