package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// binaryPath is the built program, without the race detector, which the tests in this package run.
var binaryPath string

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests here mostly wait for the leases and timeouts of other processes.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	os.Exit(built(m.Run))
}

func built(run func() int) int {
	dir, err := os.MkdirTemp("", "shuffle-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // A temporary folder.
	binaryPath = filepath.Join(dir, "shuffle")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", binaryPath, ".")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	return run()
}

// world is a folder for --local with a season in it, and the program that uses it.
type world struct {
	t       *testing.T
	dir     string // for --local
	work    string // the working folder, which is different
	env     []string
	seasons []*season.Season
	drawn   int               // number of times that the images were drawn
	stood   map[string]string // result of the last checkDatasets: key → content
}

// newWorld returns an empty world. Its queues make the messages of a killed worker visible after 10
// s, the minimum.
func newWorld(t *testing.T) *world {
	t.Helper()
	root := t.TempDir()
	w := &world{t: t, dir: filepath.Join(root, "own"), work: filepath.Join(root, "work"), stood: map[string]string{}}
	w.env = []string{"HOME=" + root, "SHUFFLE_VISIBILITY_TIMEOUT=10s", "SHUFFLE_PLANNER_LEASE=5s"}
	w.must(os.MkdirAll(w.work, 0o700))
	return w
}

// generated returns a world with a season.
func generated(t *testing.T, o season.Options) *world {
	t.Helper()
	w := newWorld(t)
	w.add(o)
	return w
}

// add writes a season into the world's folder.
func (w *world) add(o season.Options) *season.Season {
	w.t.Helper()
	s, err := season.Generate(o)
	w.must(err)
	for _, e := range s.Episodes {
		w.draw(e, e.Images)
	}
	w.must(s.WriteManifest(w.t.Context(), folder(w.bucket())))
	w.must(s.WriteSheets(w.sheets()))
	w.seasons = append(w.seasons, s)
	return s
}

// draw writes source images. The program does not read their content, so each is a line of text.
// Each drawing has another text.
func (w *world) draw(e *season.Episode, frames []dataset.Frame) {
	w.t.Helper()
	w.drawn++
	w.must(os.MkdirAll(w.bucket(e.ImagePrefix()), 0o700))
	for _, f := range frames {
		w.must(os.WriteFile(w.image(e, f), fmt.Appendf(nil, "%s, %d", f, w.drawn), 0o600))
	}
}

func (w *world) bucket(parts ...string) string {
	return filepath.Join(w.dir, "bucket", filepath.Join(parts...))
}
func (w *world) ml(parts ...string) string {
	return w.bucket("tuttle_twins", "ML", filepath.Join(parts...))
}
func (w *world) own(parts ...string) string {
	return w.bucket("tuttle_twins", "shuffle", filepath.Join(parts...))
}
func (w *world) sheets() string { return filepath.Join(w.dir, "sheets") }

func (w *world) episode(i int) *season.Episode { return w.seasons[0].Episodes[i] }

// image is the file of a frame's source image.
func (w *world) image(e *season.Episode, f dataset.Frame) string {
	return w.bucket(e.ImagePrefix(), f.File())
}

// save writes an episode's sheet after an edit.
func (w *world) save(e *season.Episode) {
	w.t.Helper()
	w.must(e.WriteSheet(w.sheets()))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// folder is a bucket for the season: plain files, without code of the program.
type folder string

func (f folder) PutObject(_ context.Context, key string, body []byte, _ bucket.Condition) (string, error) {
	path := filepath.Join(string(f), filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return "", err
	}
	return "", os.WriteFile(path, body, 0o600)
}

// local is a command line for the world's folder.
func (w *world) local(args []string) []string { return slices.Concat([]string{"--local", w.dir}, args) }

// run runs the program on the world's folder until it exits. Another exit code than the expected
// one ends the test.
func (w *world) run(code int, args ...string) (out, logs string) {
	w.t.Helper()
	return w.command(w.local(args)...).wait(code)
}

// command starts the program with exactly these arguments.
func (w *world) command(args ...string) *process {
	w.t.Helper()
	return start(w.t, w.work, w.env, args...)
}

// start starts the program on the world's folder.
func (w *world) start(args ...string) *process {
	w.t.Helper()
	return w.command(w.local(args)...)
}

// decode parses the one JSON object that a command printed.
func decode[T any](t *testing.T, out string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("not one JSON value: %v\n%s", err, out)
	}
	return v
}

func (w *world) plan(code int, args ...string) state.Plan {
	w.t.Helper()
	out, _ := w.run(code, append([]string{"plan", "--json"}, args...)...)
	return decode[state.Plan](w.t, out)
}

func (w *world) status(code int, args ...string) state.Status {
	w.t.Helper()
	out, _ := w.run(code, append([]string{"status", "--json"}, args...)...)
	return decode[state.Status](w.t, out)
}

// carry works and tracks until the run in force has ended, in two processes one after the other.
func (w *world) carry(code int) state.Status {
	w.t.Helper()
	w.run(0, "work", "--exit-when-idle", "100ms")
	out, _ := w.run(code, "track", "--until-done", "--json")
	return decode[state.Status](w.t, out)
}

// finish is plan and carry. The plan must have the given number of tasks, and the run must succeed.
func (w *world) finish(tasks int, args ...string) state.Plan {
	w.t.Helper()
	plan := w.plan(0, args...)
	if plan.Tasks != tasks || plan.State != state.Running {
		w.t.Fatalf("plan %v: %d tasks, %s, expected %d tasks", args, plan.Tasks, plan.State, tasks)
	}
	if s := w.carry(0); s.State != state.Succeeded || s.Done != tasks || s.Run != plan.Run {
		w.t.Fatalf("run: %+v, expected %d tasks done", s, tasks)
	}
	return plan
}

// wanted is the number of frames that the sheets want in the datasets.
func (w *world) wanted() (n int) {
	for _, s := range w.seasons {
		for _, e := range s.Episodes {
			classes, _ := e.Wanted()
			n += len(classes)
		}
	}
	return n
}

// says fails the test when the text does not match the expression. Spaces and line breaks are
// equivalent.
func says(t *testing.T, text, expression string) {
	t.Helper()
	flat := regexp.MustCompile(`\s+`).ReplaceAllString(text, " ")
	if !regexp.MustCompile(expression).MatchString(flat) {
		t.Errorf("expected %q in:\n%s", expression, cmp.Or(text, "(nothing)"))
	}
}
