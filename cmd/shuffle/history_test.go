package main

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/pull"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
	"github.com/angel-nft/google-shuffle/internal/why"
	"github.com/angel-nft/google-shuffle/messages"
)

// history is the built program, with a season whose datasets have several versions.
type history struct {
	t      *testing.T
	env    []string
	dir    string // for the pulled versions
	season *season.Season
	bucket open.Bucket
	sheets string
}

// newHistory writes a season to the bucket at the URL. env leads the program to it.
func newHistory(t *testing.T, url, sheets string, o season.Options, env ...string) *history {
	t.Helper()
	h := &history{t: t, dir: t.TempDir(), env: env, sheets: sheets}
	opener := open.New(32)
	t.Cleanup(func() { _ = opener.Close() })
	h.run(0, "setup", "--create-bucket")
	var err error
	h.bucket, _, err = opener.Bucket(t.Context(), url)
	h.must(err)
	h.season, err = season.Generate(o)
	h.must(err)
	h.must(h.season.Write(t.Context(), h.bucket, sheets))
	return h
}

func (h *history) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *history) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(h.t.Context(), binaryPath, args...)
	cmd.Env, cmd.Dir = append(os.Environ(), h.env...), h.dir
	return cmd
}

// run runs the program and returns its standard output. Another exit code than the expected one
// ends the test.
func (h *history) run(code int, args ...string) string {
	h.t.Helper()
	cmd := h.command(args...)
	var out, logs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &logs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		h.t.Fatalf("shuffle %q: exit code %d, expected %d\n%s\n%s", args, got, code, out.String(), logs.String())
	}
	return out.String()
}

// read runs the program and parses the JSON that it prints.
func (h *history) read(into any, code int, args ...string) {
	h.t.Helper()
	if out := h.run(code, append(args, "--json")...); json.Unmarshal([]byte(out), into) != nil {
		h.t.Fatalf("shuffle %q: not one JSON value: %s", args, out)
	}
}

// pull pulls into the named folder.
func (h *history) pull(code int, name string, args ...string) (r pull.Result) {
	h.t.Helper()
	h.read(&r, code, append([]string{"pull", filepath.Join(h.dir, name)}, args...)...)
	return r
}

// round completes a run, which must succeed.
func (h *history) round() {
	h.t.Helper()
	var s state.Status
	if h.read(&s, 0, "run"); s.State != state.Succeeded {
		h.t.Fatalf("the run is %s: %s", s.State, s.Reason)
	}
}

// stands lists every image of the datasets, by its path below them, with its ETag.
func (h *history) stands() map[string]string {
	h.t.Helper()
	all := map[string]string{}
	ml := dataset.Layout{Prefix: "tuttle_twins"}.ML()
	for page, err := range bucket.Pages(h.t.Context(), h.bucket, bucket.ListInput{Prefix: ml}) {
		h.must(err)
		for _, o := range page.Objects {
			all[strings.TrimPrefix(o.Key, ml)] = o.ETag
		}
	}
	return all
}

// pulled returns every image of a folder, with its MD5.
func (h *history) pulled(name string) map[string]string {
	h.t.Helper()
	all, root := map[string]string{}, filepath.Join(h.dir, name)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".jpg") {
			return err
		}
		body, err := os.ReadFile(path)
		sum := md5.Sum(body)
		file, _ := filepath.Rel(root, path)
		all[filepath.ToSlash(file)] = hex.EncodeToString(sum[:])
		return err
	})
	if !errors.Is(err, fs.ErrNotExist) {
		h.must(err)
	}
	return all
}

// The numbers of frames that an edit of the first episode changes.
const relabelledFrames, removedFrames, repaintedFrames = 10, 3, 2

// edit edits the first episode, and returns a relabelled frame.
func (h *history) edit() dataset.Frame {
	h.t.Helper()
	e := h.season.Episodes[0]
	relabelled := e.Relabel(relabelledFrames)
	e.RemoveRows(removedFrames)
	h.must(e.WriteImages(h.t.Context(), h.bucket, e.Repaint(repaintedFrames)))
	h.must(e.WriteSheet(h.sheets))
	return relabelled[0]
}

// passes tests two versions in both directions: list, difference, pull, restore, why.
func (h *history) passes() {
	t := h.t
	h.round()
	h.pull(0, "first")
	first := h.stands()
	if diff := cmp.Diff(first, h.pulled("first")); diff != "" {
		t.Errorf("version 1, -bucket +pulled:\n%s", diff)
	}
	frame := h.edit()
	h.round()
	var list []state.Version
	if h.read(&list, 0, "versions"); len(list) != 2 || list[0].Parent != list[1].Generation {
		t.Fatalf("versions %+v", list)
	}
	one, two := fmt.Sprint(list[1].Generation), fmt.Sprint(list[0].Generation)
	var d version.Diff
	h.read(&d, 0, "versions", one, two)
	want := map[version.Kind]int{version.Added: 0, version.Removed: removedFrames, version.Relabelled: relabelledFrames, version.Moved: 0, version.Refreshed: repaintedFrames}
	if diff := cmp.Diff(want, d.Totals); diff != "" {
		t.Errorf("versions %s %s: -want +got:\n%s", one, two, diff)
	}
	// Moved and deleted images still exist at the source. The old content of repainted images no
	// longer exists.
	if r := h.pull(1, "old", "--version", one); len(r.Failed) != repaintedFrames || r.Fetched != r.Frames-repaintedFrames {
		t.Errorf("pull of version %s: %d of %d, failed %v", one, r.Fetched, r.Frames, r.Failed)
	}
	if r := h.pull(1, "first"); r.Leftover != relabelledFrames+removedFrames {
		t.Errorf("pull over version %s: %+v", one, r)
	}
	h.pull(0, "first", "--delete")
	if diff := cmp.Diff(h.stands(), h.pulled("first")); diff != "" {
		t.Errorf("version 2 over version 1, -bucket +pulled:\n%s", diff)
	}
	h.restores(one, first, frame)
}

func (h *history) restores(one string, first map[string]string, frame dataset.Frame) {
	t := h.t
	var plan state.Plan
	h.read(&plan, 1, "restore", one, "--dry-run")
	if plan.Tasks != relabelledFrames+removedFrames || plan.Refused() != repaintedFrames {
		t.Errorf("restore: %+v, refused %d", plan.Totals, plan.Refused())
	}
	out := h.run(1, "restore", one) // because some images cannot be restored
	if !strings.Contains(out, "The sheets do not change") {
		t.Errorf("restore does not say that the next plan undoes it:\n%s", out)
	}
	h.run(0, "work", "--exit-when-idle", "2s")
	h.run(0, "track", "--until-done")
	var d version.Diff
	h.read(&d, 0, "versions", one, "latest")
	if len(d.Changes) != repaintedFrames || d.Totals[version.Refreshed] != repaintedFrames {
		t.Errorf("after the restore, from version %s: %+v", one, d.Changes)
	}
	if got := h.stands(); len(got) != len(first) {
		t.Errorf("%d frames stand, in version %s %d", len(got), one, len(first))
	}
	if h.read(&plan, 0, "plan", "--dry-run"); plan.Tasks != relabelledFrames+removedFrames {
		t.Errorf("the sheets as they are plan %d tasks after the restore", plan.Tasks)
	}
	var x why.Explanation
	h.read(&x, 0, "why", string(frame))
	var done []messages.Outcome
	for _, o := range x.Operations {
		done = append(done, o.Outcome)
	}
	if diff := cmp.Diff([]messages.Outcome{messages.Moved, messages.Moved, messages.Copied}, done); diff != "" || x.Change != "move" || len(x.Rows) != 1 {
		t.Errorf("why %s: %+v\n%s", frame, x, diff)
	}
}

// newLocalHistory returns a history in a folder.
func newLocalHistory(t *testing.T, o season.Options, env ...string) *history {
	t.Helper()
	local := filepath.Join(t.TempDir(), "local")
	return newHistory(t, "file://"+filepath.ToSlash(local)+"/bucket", filepath.Join(local, "sheets"), o, append(env, "SHUFFLE_LOCAL="+local)...)
}

func TestHistoryInAFolder(t *testing.T) {
	t.Parallel()
	newLocalHistory(t, season.Options{Episodes: 2, Frames: 120}).passes()
}

// A restore whose workers were never started is completed, and its result remains. Only the next
// run follows the sheets again.
func TestResumeOfARestore(t *testing.T) {
	t.Parallel()
	h := newLocalHistory(t, season.Options{Episodes: 1, Frames: 100})
	h.round()
	first := h.stands()
	e := h.season.Episodes[0]
	e.Relabel(relabelledFrames)
	h.must(e.WriteSheet(h.sheets))
	h.round()
	h.run(0, "restore", "1")
	out := h.run(0, "run", "--resume")
	says(t, out, `succeeded: run \S+-3.* plan back to version 1; the sheets have not changed, and the next plan follows them again.*Next: \S+ plan --dry-run`)
	if diff := cmp.Diff(first, h.stands()); diff != "" {
		t.Errorf("-version 1 +resumed:\n%s", diff)
	}
	var s state.Status
	if h.read(&s, 0, "run", "--resume"); s.Generation != 4 || s.Tasks != relabelledFrames || s.Restores != 0 {
		t.Errorf("the run after the restore: %+v", s)
	}
}

// Old versions are removed when a newer one is published.
func TestVersionsAreKept(t *testing.T) {
	t.Parallel()
	h := newLocalHistory(t, season.Options{Episodes: 1, Frames: 100}, "SHUFFLE_KEEP_VERSIONS=2")
	for range 3 {
		h.round()
		h.edit()
	}
	var list []state.Version
	if h.read(&list, 0, "versions"); len(list) != 2 || list[0].Generation != 3 || list[1].Generation != 2 {
		t.Errorf("versions %+v", list)
	}
	h.run(2, "versions", "1")
	h.run(2, "pull", "--version", "1", filepath.Join(h.dir, "one"))
	h.run(2, "restore", "1")
	if out := h.run(0, "versions"); !strings.Contains(out, "latest") {
		t.Errorf("no version is the latest:\n%s", out)
	}
}
