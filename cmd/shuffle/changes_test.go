package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/season"
)

// readCSV parses a CSV that a command has written, and removes it.
func (w *world) readCSV(name string) (header []string, rows [][]string) {
	w.t.Helper()
	path := filepath.Join(w.work, name)
	file, err := os.Open(path)
	w.must(err)
	all, err := csv.NewReader(file).ReadAll()
	w.must(err)
	w.must(file.Close())
	w.must(os.Remove(path))
	return all[0], all[1:]
}

// edited returns a world whose datasets equalled its sheets before many edits, one for each
// possible cause of a change. It also returns the edited frames by cause.
func edited(t *testing.T) (w *world, want map[string][]string) {
	w = generated(t, season.Options{Episodes: 2, Frames: 400})
	w.finish(w.wanted())
	e, want := w.episode(0), map[string][]string{}
	add := func(cause string, frames ...string) { want[cause] = append(want[cause], frames...) }
	for _, f := range e.Unclassify(11) {
		add("unlabelled", string(f))
	}
	for _, f := range e.Relabel(5) {
		add("relabelled", string(f))
	}
	for _, f := range e.RemoveRows(3) {
		add("row gone", string(f))
	}
	painted := e.Repaint(2)
	w.draw(e, painted)
	for _, f := range painted {
		add("image changed", string(f))
	}
	fresh := w.episode(1).InsertRows(4, "Rare")
	w.draw(w.episode(1), fresh)
	for _, f := range fresh {
		add("new", string(f))
	}
	w.save(e)
	w.save(w.episode(1))
	return w, want
}

// causes returns the frames of a CSV of changes by cause, and checks the content of each row.
func causes(t *testing.T, header []string, rows [][]string, held bool) map[string][]string {
	t.Helper()
	if got := strings.Join(header, ","); got != "episode,frame,row,op,cause,from_dataset,from_class,to_dataset,to_class,column,held" {
		t.Errorf("header %s", got)
	}
	got := map[string][]string{}
	for _, r := range rows {
		got[r[4]] = append(got[r[4]], r[1])
		wants := map[string]bool{"delete": r[7] == "" && r[5] != "", "copy": r[5] == "" && r[7] != "", "move": r[5]+r[6] != r[7]+r[8], "refresh": r[5]+r[6] == r[7]+r[8]}
		if !wants[r[3]] || r[10] != fmt.Sprint(held) || (r[2] == "") != (r[4] == "row gone") || (r[9] != "") != (r[8] != "") {
			t.Errorf("row %q", r)
		}
	}
	return got
}

func sameFrames(t *testing.T, got, want map[string][]string) {
	t.Helper()
	for _, m := range []map[string][]string{got, want} {
		for _, frames := range m {
			slices.Sort(frames)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("frames by cause (-want +got):\n%s", diff)
	}
}

// shuffle plan --dry-run --changes FILE; shuffle plan --review; shuffle changes, --csv FILE,
// --json; shuffle apply RUN; shuffle changes RUN
func TestChanges(t *testing.T) {
	t.Parallel()
	w, want := edited(t)
	untouched(t, w.dir, func() {
		out, logs := w.run(0, "plan", "--dry-run", "--changes", "dry.csv")
		says(t, out, `Changes by cause: row gone 3 deleted: their rows are gone \(S01E01 3\) TT_S01_E01\S+ \w+/\w+ → nowhere .*unlabelled 11 deleted: their class is blank now \(S01E01 11\) row \d+ .*new 4 copied: .*\(S01E02 4\)`)
		says(t, logs, `dry\.csv: 25 changes`)
	})
	header, dry := w.readCSV("dry.csv")
	sameFrames(t, causes(t, header, dry, false), want)

	plan := w.plan(0, "--review", "--changes", "review.csv")
	if _, rows := w.readCSV("review.csv"); !cmp.Equal(rows, dry) {
		t.Errorf("the review changes other frames than the dry run: %s", cmp.Diff(dry, rows))
	}
	out, _ := w.run(0, "changes")
	says(t, out, `Run `+plan.Run+` \(review\): 25 changes .*relabelled 5 moved: their class has changed .* Next: shuffle --local \S+ changes `+plan.Run+` --csv FILE`)
	out, _ = w.run(0, "changes", "--csv", "-")
	if all, err := csv.NewReader(strings.NewReader(out)).ReadAll(); err != nil || !cmp.Equal(all[1:], dry) {
		t.Errorf("to stdout: %v, %d rows", err, len(all))
	}
	out, _ = w.run(0, "changes", "--json")
	counted := map[string]int{}
	for _, n := range decode[changesJSON](t, out).Changes {
		counted[string(n.Cause)] += n.Count
	}
	for cause, frames := range want {
		if counted[cause] != len(frames) || len(counted) != len(want) {
			t.Errorf("counts %v, want %d of %s", counted, len(frames), cause)
		}
	}
	w.run(0, "apply", plan.Run)
	w.carry(0)
	w.plan(0) // a newer run, without changes
	out, _ = w.run(0, "changes")
	says(t, out, `\(succeeded\): 0 changes`)
	_, _ = w.run(0, "changes", plan.Run, "--csv", "later.csv")
	if _, rows := w.readCSV("later.csv"); !cmp.Equal(rows, dry) {
		t.Error("an earlier run has lost its changes")
	}
	w.run(2, "changes", "nosuch")
	for _, path := range []string{filepath.Join(w.work, "no", "such", "x.csv"), w.work} {
		_, logs := w.run(2, "changes", "--csv", path)
		says(t, logs, `--csv "`)
		_, logs = w.run(2, "plan", "--changes", path)
		says(t, logs, `--changes "`)
	}
	if n := files(w.work); n != 0 {
		t.Errorf("%d files are left beside the CSVs", n)
	}
}

// shuffle plan, which holds an episode, and shuffle changes: it lists the deletions that
// --allow-delete would allow.
func TestChangesOfAHeldEpisode(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 200})
	w.finish(w.wanted())
	var want []string
	for _, f := range w.episode(0).Unclassify(60) {
		want = append(want, string(f))
	}
	w.save(w.episode(0))
	out, _ := w.run(1, "plan")
	says(t, out, `would delete 60 .* ! The held episodes would change: unlabelled 60 deleted: their class is blank now \(S01E01 60\) row \d+ TT_`)
	says(t, out, `Next: shuffle --local \S+ changes \S+ show what the held episodes would delete or copy again shuffle --local \S+ run --allow-delete S01E01`)
	out, _ = w.run(1, "status")
	says(t, out, `Next: shuffle --local \S+ changes \S+ .*run --allow-delete S01E01`)
	w.run(0, "changes", "--csv", "held.csv")
	header, rows := w.readCSV("held.csv")
	sameFrames(t, causes(t, header, rows, true), map[string][]string{"unlabelled": want})
	w.finish(60, "--allow-delete", "S01E01")
	w.run(0, "changes", "--csv", "made.csv")
	header, rows = w.readCSV("made.csv")
	sameFrames(t, causes(t, header, rows, false), map[string][]string{"unlabelled": want})
}

// shuffle changes RUN of a run that an earlier release planned: it lists the content of the tasks,
// and reports that the cause is not recorded.
func TestChangesOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.unpack("testdata/state-before-settings.tar.gz")
	out, _ := w.run(0, "changes")
	says(t, out, `\(succeeded\): \d+ changes .*not recorded \d+ changed: the release that planned this run did not record causes \(S01E01 \d+`)
	w.run(0, "changes", "--csv", "old.csv")
	_, rows := w.readCSV("old.csv")
	for _, r := range rows {
		if r[0] != r[1][3:6]+r[1][7:10] || r[2] != "" || r[3] != "copy" || r[4] != "" || r[5] != "" || r[7] == "" || r[8] == "" || r[10] != "false" {
			t.Errorf("row %q", r)
		}
	}
	out, _ = w.run(0, "changes", "--json")
	got := decode[changesJSON](t, out)
	n := 0
	for _, c := range got.Changes {
		n += c.Count
	}
	if got.Recorded || n != len(rows) || n == 0 || n != w.status(0).Tasks {
		t.Errorf("recorded %t, %d counted, %d rows", got.Recorded, n, len(rows))
	}
	out, _ = w.run(0, "problems")
	says(t, out, `Run \S+ \(succeeded\)`)
}
