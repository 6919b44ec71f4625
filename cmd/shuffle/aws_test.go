package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// TestOverTheWire runs the built program with S3 and SQS of a LocalStack and a Sheets API, each
// subject with a bucket and queues of its own. The program's own output is never the proof: the
// bucket is listed by other means.
func TestOverTheWire(t *testing.T) {
	t.Parallel()
	endpoint := testenv.AWSEndpoint(t)
	for _, subject := range []struct {
		name   string
		season season.Options
		prove  func(*wire)
	}{
		{"broken sheets", season.Options{Episodes: len(sheetFaults), Frames: 40}, wireBrokenSheets},
		{"season", season.Options{Episodes: 3, Frames: 120, Oddities: true}, wireSeason},
		{"messages", season.Options{Episodes: 2, Frames: 40}, wireMessages},
		{"dead tasks", season.Options{Episodes: 1, Frames: 40}, wireDeadTasks},
		{"dashboard", season.Options{Episodes: 2, Frames: 400, Oddities: true, Seed: 7}, wireDashboard},
		{"stages", season.Options{Episodes: 2, Frames: 100}, wireStages},
		{"images", season.Options{Episodes: 1, Frames: 40}, wireImages},
	} {
		t.Run(subject.name, func(t *testing.T) {
			t.Parallel()
			subject.prove(newWire(t, endpoint, subject.season))
		})
	}
}

// wire is the program, the services that it uses, and the season in them.
type wire struct {
	t      *testing.T
	dir    string // the working folder, empty: no .env
	env    []string
	bucket string
	queues wireQueues
	s3     *s3.Client
	sqs    *sqs.Client
	api    *sheettest.Server
	season *season.Season
}

// wireQueues are the names of the three queues.
type wireQueues struct{ tasks, results, deadLetters string }

// wireSeed is the seed of the split.
const wireSeed = "over the wire"

func newWire(t *testing.T, endpoint string, o season.Options) *wire {
	id := strings.ToLower(rand.Text())
	o.Bucket = "media.angel-nft-" + id // a name with a dot, like the real one
	s, err := season.Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{
		t: t, dir: t.TempDir(), bucket: o.Bucket, season: s, api: sheettest.NewServer(),
		queues: wireQueues{"tasks-" + id, "results-" + id, "dead-letters-" + id},
	}
	w.s3, w.sqs = newClients(t, endpoint)
	w.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir,
		"AWS_ENDPOINT_URL=" + endpoint, "AWS_REGION=us-west-2", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"SHUFFLE_SHEETS_ENDPOINT=" + serve(t, w.api), "SHUFFLE_BUCKET=s3://" + w.bucket,
		"SHUFFLE_TASKS_QUEUE=" + w.queues.tasks, "SHUFFLE_RESULTS_QUEUE=" + w.queues.results,
		"SHUFFLE_DEAD_LETTER_QUEUE=" + w.queues.deadLetters,
		// Messages in flight of a killed process become visible again soon.
		"SHUFFLE_VISIBILITY_TIMEOUT=10s", "SHUFFLE_CONCURRENCY=32",
	}
	w.run(0, "setup", "--create-bucket")
	return w
}

// command builds a command of the program, which is not started yet.
func (w *wire) command(ctx context.Context, args ...string) (cmd *exec.Cmd, out, logs *bytes.Buffer) {
	cmd, out, logs = exec.CommandContext(ctx, binaryPath, args...), &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = w.env, w.dir, out, logs, testenv.DiesWithParent()
	return cmd, out, logs
}

// run runs the program until it exits, and returns its standard output. Another exit code than the
// expected one fails the test.
func (w *wire) run(code int, args ...string) []byte {
	w.t.Helper()
	cmd, out, logs := w.command(w.t.Context(), args...)
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		w.t.Fatalf("shuffle %q: exit code %d, expected %d\n%s\n%s", args, got, code, out, logs)
	}
	return out.Bytes()
}

// read runs the program and parses the JSON that it prints.
func (w *wire) read(into any, code int, args ...string) {
	w.t.Helper()
	if out := w.run(code, args...); json.Unmarshal(out, into) != nil {
		w.t.Fatalf("shuffle %q: not the JSON expected: %s", args, out)
	}
}

// status reads the status that the program prints.
func (w *wire) status(code int, args ...string) (s state.Status) {
	w.t.Helper()
	w.read(&s, code, append(args, "--json")...)
	return s
}

// plan runs shuffle plan.
func (w *wire) plan(code int, flags ...string) (p state.Plan) {
	w.t.Helper()
	w.read(&p, code, append([]string{"plan", "--json"}, flags...)...)
	return p
}

// first is the first run of a subject. It builds everything in the sheets, and is verified.
func (w *wire) first() {
	w.t.Helper()
	w.writeSeason()
	before := w.list()
	if s := w.status(0, "run", "--seed", wireSeed); s.State != state.Succeeded || s.Tasks == 0 || s.Done != s.Tasks {
		w.t.Fatalf("first run: %+v", s)
	}
	w.mustHold(w.want(before, w.season.Episodes))
}

// wireProcess is a running program.
type wireProcess struct {
	w    *wire
	name string
	cmd  *exec.Cmd
	logs *bytes.Buffer // valid after its end
}

// start starts the program, which is killed at the end of the test.
func (w *wire) start(args ...string) *wireProcess {
	w.t.Helper()
	ctx, kill := context.WithCancel(context.WithoutCancel(w.t.Context()))
	cmd, _, logs := w.command(ctx, args...)
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		kill()
		_ = cmd.Wait() // it has ended before, or by the kill
	})
	return &wireProcess{w: w, name: strings.Join(args, " "), cmd: cmd, logs: logs}
}

// kill is kill -9.
func (p *wireProcess) kill() {
	p.w.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.w.t.Fatal(err)
	}
	_ = p.cmd.Wait() // "signal: killed"
}

// terminate ends a service normally: SIGTERM, and exit code 0.
func (p *wireProcess) terminate() {
	p.w.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.w.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.w.t.Errorf("shuffle %s after SIGTERM: %v\n%s", p.name, err, p.logs)
	}
}

// until waits until a condition holds.
func (w *wire) until(what string, holds func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			w.t.Fatalf("waiting until %s: %v", what, ctx.Err())
		case <-tick.C:
		}
	}
}
