package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rehearsal is deploy/rehearsal, started as in docker-compose.yml, with a folder as bucket.
type rehearsal struct {
	t       *testing.T
	program string
	address string
	args    []string // of shuffle
}

func startRehearsal(t *testing.T) *rehearsal {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := &rehearsal{t: t, program: filepath.Join(dir, "rehearsal"), address: listener.Addr().String()}
	if err := listener.Close(); err != nil { // the port is free again
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", r.program, "../../deploy/rehearsal")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	bucket := filepath.Join(dir, "media.angel-nft.com")
	if err := os.Mkdir(bucket, 0o700); err != nil {
		t.Fatal(err)
	}
	r.args = []string{"--bucket=file://" + bucket, "--queues=sqlite://" + filepath.Join(dir, "queues.db"), "--sheets-endpoint=http://" + r.address, "--log-level=error"}
	ctx, stop := context.WithCancel(t.Context())
	serve := exec.CommandContext(ctx, r.program, "-listen", r.address, "-bucket", "file://"+bucket, "-frames", "120")
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = serve.Wait()
	})
	deadline := time.Now().Add(2 * time.Minute)
	for exec.CommandContext(ctx, r.program, "-listen", r.address, "-check").Run() != nil {
		if time.Now().After(deadline) {
			t.Fatal("the rehearsal does not answer")
		}
		select {
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return r
}

// ask requests an edit from the rehearsal.
func (r *rehearsal) ask(edit string) {
	r.t.Helper()
	if out, err := exec.CommandContext(r.t.Context(), r.program, "-listen", r.address, edit).CombinedOutput(); err != nil {
		r.t.Fatalf("%s: %v\n%s", edit, err, out)
	}
}

// run runs a command of shuffle and returns its output.
func (r *rehearsal) run(wanted error, command ...string) string {
	r.t.Helper()
	var out, logs bytes.Buffer
	if err := run(r.t.Context(), append(command, r.args...), &out, &logs); !errors.Is(err, wanted) {
		r.t.Fatalf("shuffle %q: %v\n%s\n%s", command, err, out.String(), logs.String())
	}
	return out.String()
}

// TestRehearsal: the first run that docker compose shows to a new user succeeds, without held
// episodes and problems. The broken sheet appears on request, and is repaired on request.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	r := startRehearsal(t)
	if out := r.run(nil, "run"); strings.Contains(out, "held:") || strings.Contains(out, "problem:") {
		t.Errorf("the first run:\n%s", out)
	}
	r.ask("-relabel")
	if out := r.run(nil, "run"); !strings.Contains(out, "12") {
		t.Errorf("the run after an edit:\n%s", out)
	}
	r.ask("-break")
	if out := r.run(errOutcome, "run"); !strings.Contains(out, "FRAME NUMBER") {
		t.Errorf("the run with a broken sheet:\n%s", out)
	}
	r.ask("-mend")
	r.run(nil, "run")
}
