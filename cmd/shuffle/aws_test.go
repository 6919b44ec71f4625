package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/sheettest"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/testenv"
)

// over is the program as it is built, and its environment.
type over struct {
	t      *testing.T
	binary string
	env    []string
}

// run runs the program and gives its standard output; another exit code than the expected one fails the test.
func (o *over) run(code int, args ...string) []byte {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), o.binary, args...)
	cmd.Env, cmd.Dir = append(os.Environ(), o.env...), filepath.Dir(o.binary)
	var out, logs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &logs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		o.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		o.t.Fatalf("shuffle %q: exit code %d, expected %d\n%s\n%s", args, got, code, out.String(), logs.String())
	}
	return out.Bytes()
}

// status runs the program and reads the status that it prints.
func (o *over) status(code int, args ...string) (s state.Status) {
	o.t.Helper()
	if out := o.run(code, args...); json.Unmarshal(out, &s) != nil {
		o.t.Fatalf("shuffle %q: not one JSON object: %s", args, out)
	}
	return s
}

// TestOverTheWire: shuffle setup, run, plan, verify and status with S3 and SQS of a LocalStack and a Sheets API.
func TestOverTheWire(t *testing.T) {
	endpoint := testenv.AWSEndpoint(t)
	name := fmt.Sprintf("media.angel-nft-%d", time.Now().UnixNano())
	dir := t.TempDir()
	sheets := filepath.Join(dir, "sheets")
	api := httptest.NewServer(sheettest.FromFolder(sheets))
	defer api.Close()
	t.Setenv("AWS_ENDPOINT_URL", endpoint)
	t.Setenv("AWS_REGION", "us-west-2")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	o := &over{t: t, binary: filepath.Join(dir, "shuffle"), env: []string{
		"SHUFFLE_BUCKET=s3://" + name, "SHUFFLE_SHEETS_ENDPOINT=" + api.URL, "SHUFFLE_CONCURRENCY=32",
		"SHUFFLE_TASKS_QUEUE=tasks-" + name[18:], "SHUFFLE_RESULTS_QUEUE=results-" + name[18:], "SHUFFLE_DEAD_LETTER_QUEUE=dead-" + name[18:],
	}}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", o.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	o.run(0, "setup", "--create-bucket")

	s, err := season.Generate(season.Options{Episodes: 2, Frames: 120, Bucket: name})
	if err != nil {
		t.Fatal(err)
	}
	opener := open.New(32)
	defer opener.Close() //nolint:errcheck // Nothing of it is a file.
	b, _, err := opener.Bucket(t.Context(), "s3://"+name)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), b, sheets); err != nil {
		t.Fatal(err)
	}
	wanted := 0
	for _, e := range s.Episodes {
		classes, _ := e.Wanted()
		wanted += len(classes)
	}
	if got := o.status(0, "run", "--json"); got.State != state.Succeeded || got.Tasks != wanted || got.Done != wanted {
		t.Errorf("first run: %+v, expected %d tasks, all done", got, wanted)
	}

	var plan state.Plan
	if err := json.Unmarshal(o.run(0, "plan", "--json"), &plan); err != nil || plan.Tasks != 0 || plan.State != state.Succeeded {
		t.Errorf("an unchanged world plans %d tasks and is %s, error %v", plan.Tasks, plan.State, err)
	}

	frames := s.Episodes[0].Relabel(10)
	s.Episodes[0].Sort()
	if err := s.Episodes[0].WriteSheet(sheets); err != nil {
		t.Fatal(err)
	}
	if got := o.status(0, "run", "--json"); got.State != state.Succeeded || got.Tasks != len(frames) {
		t.Errorf("after an edit: %+v, expected %d tasks", got, len(frames))
	}
	o.run(0, "verify")
	o.run(0, "doctor")
	if got := o.status(0, "status", "--json"); got.Differences != 0 || got.Done != len(frames) {
		t.Errorf("status: %+v", got)
	}
}
