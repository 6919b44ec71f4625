package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// sheetFile is the CSV file of an episode.
func (w *world) sheetFile(e *season.Episode) string {
	return filepath.Join(w.sheets(), e.SpreadsheetID+".csv")
}

// only plans, and returns the only episode of the plan. The plan must publish no task for it, and
// the datasets must not change.
func (w *world) only(code int, args ...string) state.EpisodePlan {
	w.t.Helper()
	var plan state.Plan
	untouched(w.t, w.ml(), func() { plan = w.plan(code, args...) })
	if plan.Tasks != 0 || len(plan.Episodes) != 1 {
		w.t.Fatalf("%d tasks in %d episodes", plan.Tasks, len(plan.Episodes))
	}
	return plan.Episodes[0]
}

// stamps is a world with one episode. Its sheet leads to a folder of images of its own, while the
// default folder has other images of the same frames.
func stamps(t *testing.T) (*world, *season.Episode) {
	w := generated(t, season.Options{Episodes: 1, Frames: 60, ImageSize: "stamps"})
	e := w.episode(0)
	e.Style = season.HeaderURI
	w.save(e)
	usual := w.bucket("tuttle_twins", e.Episode.Folder(), "default_eng/v1/frames/thumbnails")
	w.must(os.MkdirAll(usual, 0o700))
	for _, f := range e.Images {
		w.put(filepath.Join(usual, f.File()), "another image of "+string(f))
	}
	w.finish(w.wanted())
	return w, e
}

// shuffle plan, when the base URI in A1 is missing or damaged: the episode is held, and the images
// of the default folder replace nothing.
func TestLostBaseURI(t *testing.T) {
	t.Parallel()
	w, e := stamps(t)
	good := csvOf(w, e)
	uri, _, _ := strings.Cut(good, ",")
	for _, test := range []struct{ a1, says string }{
		{"#REF!", `in cell A1, found "#REF!"`},
		{"Loading…", `in cell A1, found "Loading…"`},
		{"Loading...", `in cell A1, found "Loading..."`},
		{"", "in cell A1, found a blank cell"},
		{"\u200b", "in cell A1, found a blank cell"},
		{"base", `in cell A1, found "base"`},
		{uri + " (ask Jonny)", "in cell A1, found \"https://"},
		{"S3_BASE_URI", "found the base URI of tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/, the default folder"},
		{strings.Replace(uri, "stamps", "thumbnails", 1), "expected the images under tuttle_twins/s01e01/default_eng/v1/frames/stamps/, as in the last run (version 1)"},
		{strings.Replace(uri, "stamps", "none", 1), "if they have moved, plan with --accept-base S01E01"},
	} {
		w.put(w.sheetFile(e), strings.Replace(good, uri, test.a1, 1))
		if got := w.only(1); got.State != state.EpisodeHeld || !strings.Contains(got.Reason, test.says) || !strings.Contains(got.Reason, `sheet "`+e.SpreadsheetID) {
			t.Errorf("%q: %s, %q; expected it to be held with %q", test.a1, got.State, got.Reason, test.says)
		}
	}
	w.put(w.sheetFile(e), strings.Replace(good, uri, strings.Replace(uri, "https", "\u200bhttps", 1), 1))
	if got := w.only(0); got.State != state.EpisodePlanned || got.Keep != w.wanted() {
		t.Errorf("an invisible mark: %+v", got)
	}
}

// shuffle plan --accept-base S01E01 --allow-refresh S01E01, for images that were moved and changed:
// each flag lifts one ceiling.
func TestAcceptBase(t *testing.T) {
	t.Parallel()
	w, e := stamps(t)
	w.put(w.sheetFile(e), strings.Replace(csvOf(w, e), "/stamps/", "/thumbnails/", 1))
	out, _ := w.run(1, "plan", "--dry-run")
	says(t, out, `shuffle --local \S+ run --accept-base S01E01`)
	out, _ = w.run(1, "plan", "--dry-run", "--accept-base", "S01E01")
	n := w.wanted()
	says(t, out, fmt.Sprintf(`would copy %d of the %d frames in the datasets again \(100.0%%\).*--max-refresh, SHUFFLE_MAX_REFRESH.*run .*--allow-refresh S01E01`, n, n))
	plan := w.finish(n, "--accept-base", "s1e1", "--allow-refresh", "S01E01")
	if plan.Totals.Refresh != n {
		t.Errorf("%+v", plan.Totals)
	}
	if got := w.only(0); got.Keep != n { // the last run has recorded the new folder
		t.Errorf("%+v", got)
	}
	for _, flag := range []string{"--accept-base", "--allow-refresh"} {
		_, logs := w.run(2, "plan", flag, "S01E09")
		says(t, logs, flag+` S01E09: no manifest names it`)
	}
}

// shuffle run, and shuffle restore, after most images were drawn again: held, until --allow-refresh
// or --max-refresh.
func TestRefreshCeiling(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	e := w.episode(0)
	w.finish(w.wanted())
	w.draw(e, e.Images[:21])
	w.plan(0, "--dry-run") // 35%
	w.draw(e, e.Images[:50])
	got := w.only(1)
	if got.Cause != state.CauseRefreshes || !strings.Contains(got.Reason, "more than the ceiling 50%") {
		t.Errorf("%+v", got)
	}
	if got := w.plan(1, "--dry-run", "--max-refresh", "22"); !strings.Contains(got.Episodes[0].Reason, "more than the ceiling 22") {
		t.Errorf("%+v", got)
	}
	w.plan(0, "--dry-run", "--max-refresh", "100%")
	w.run(1, "run")
	w.run(0, "run", "--allow-refresh", "S01E01")
	w.checkDatasets()

	w.drawn = 0 // the images are the same as in version 1
	w.draw(e, e.Images)
	out, _ := w.run(1, "restore", "1", "--dry-run")
	says(t, out, `would copy \d+ of the \d+ frames in the datasets again .*shuffle restore 1 --allow-refresh S01E01`)
	w.run(0, "restore", "1", "--allow-refresh", "S01E01")
	w.carry(0)
	w.checkDatasets()
}

// shuffle plan, with 50 of 1,000 frame names in another format, and then with some unreadable ones:
// no frame is deleted.
func TestOtherFrameNames(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 1000})
	e := w.episode(0)
	w.finish(w.wanted())
	good := csvOf(w, e)
	changes := []func(string) string{
		strings.ToLower, func(s string) string { return s + ".jpg" }, func(s string) string { return s + ".PNG" },
		func(s string) string { return strings.ReplaceAll(s, "-", "–") }, func(s string) string { return strings.ReplaceAll(s, "-", "\u2011") },
		func(s string) string { return "\ufeff" + s }, func(s string) string { return s[:9] + "\u00ad" + s[9:] }, func(s string) string { return "\u00a0" + s + " " },
	}
	text := good
	for i, f := range e.Images[:50] {
		text = strings.Replace(text, string(f), changes[i%len(changes)](string(f)), 1)
	}
	w.put(w.sheetFile(e), text)
	got := w.only(0)
	if got.Keep != w.wanted() || len(got.Problems) != 5 {
		t.Errorf("%+v, %+v; expected all frames kept, and a warning of each of 5 kinds", got.Totals, got.Problems)
	}
	for _, p := range got.Problems {
		if !p.Warning || p.Row < 2 {
			t.Errorf("%+v", p)
		}
	}
	out, _ := w.run(0, "why", strings.ToLower(string(e.Images[0]))+".JPEG")
	says(t, out, string(e.Images[0]))

	text = strings.Replace(good, string(e.Images[0]), "TT_S01_E01_FRM-00-00", 1)
	text = strings.Replace(text, string(e.Images[1]), strings.Replace(string(e.Images[1]), "E01", "E02", 1), 1)
	text = regexp.MustCompile(`.*`+string(e.Images[700])+`.*\n`).ReplaceAllString(text, "")
	w.put(w.sheetFile(e), text)
	got = w.only(0)
	if got.Frozen != 3 || !slices.ContainsFunc(got.Problems, func(p state.Problem) bool {
		return strings.Contains(p.Problem, "frames without a row (3) are left as they stand: rows without a usable frame name (2) may be theirs")
	}) {
		t.Errorf("%+v, %+v", got.Totals, got.Problems)
	}
	out, _ = w.run(0, "why", string(e.Images[700]))
	says(t, out, "no row has its name")
}

// shuffle plan, with rows that are only partly filled in advance: they do not count as rows.
func TestRowsFilledInAdvance(t *testing.T) {
	t.Parallel()
	for _, style := range []season.Style{season.HeaderURI, season.ColumnURI, season.NoURI} {
		w := generated(t, season.Options{Episodes: 1, Frames: 60})
		e := w.episode(0)
		e.Style = style
		w.save(e)
		w.finish(w.wanted())
		head, _, _ := strings.Cut(csvOf(w, e), "\n")
		cells := strings.Split(strings.TrimRight(head, "\r"), ",")
		for i, name := range cells {
			switch {
			case name == "S3_BASE_URI":
				cells[i] = "s3://media.angel-nft.com/" + e.ImagePrefix()
			case strings.Contains(name, "ROW_INDEX"):
				cells[i] = "999"
			case name == "METADATA":
				cells[i] = "{}"
			default:
				cells[i] = ""
			}
		}
		w.put(w.sheetFile(e), csvOf(w, e)+strings.Repeat(strings.Join(cells, ",")+",FALSE\n", 10))
		if got := w.only(0); got.Keep != w.wanted() || len(got.Problems) != 0 {
			t.Errorf("style %d: %+v, %+v", style, got.Totals, got.Problems)
		}
	}
}

// shuffle plan on files that are not comma-separated CSV, or have another format: the message names
// the format. A newer file beside them causes a warning.
func TestOtherFiles(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	e := w.episode(0)
	w.finish(w.wanted())
	good := csvOf(w, e)
	for _, test := range []struct{ name, text, says string }{
		{".csv", strings.ReplaceAll(good, ",", ";"), `found ";" as the separator`},
		{".csv", strings.ReplaceAll(good, ",", "\t"), "found a tab as the separator"},
		{".csv", "sep=;\r\n" + strings.ReplaceAll(good, ",", ";"), `found ";" as the separator`},
		{".csv", "\xff\xfeF\x00", "found UTF-16"},
		{".ods", "", "found " + e.SpreadsheetID + ".ods; save it as XLSX or CSV"},
		{".xlsx", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "found an old Excel file (.xls)"},
		{".xlsx", "PK\x03\x04", "damaged XLSX file"},
	} {
		w.must(os.Remove(w.sheetFile(e)))
		file := filepath.Join(w.sheets(), e.SpreadsheetID+test.name)
		w.put(file, test.text)
		if got := w.only(1); got.State != state.EpisodeHeld || !strings.Contains(got.Reason, test.says) {
			t.Errorf("%s: %q, expected %q", test.name, got.Reason, test.says)
		}
		w.must(os.Remove(file))
		w.put(w.sheetFile(e), "")
	}
	w.put(w.sheetFile(e), strings.ReplaceAll(strings.ReplaceAll(good, "\r\n", "\n"), "\n", "\r"))
	if got := w.only(0); got.Keep != w.wanted() {
		t.Errorf("CR line ends: %+v", got)
	}
	newer := filepath.Join(w.sheets(), e.SpreadsheetID+".xlsx")
	w.put(newer, "")
	later := time.Now().Add(time.Hour)
	w.must(os.Chtimes(newer, later, later))
	if got := w.only(0); len(got.Problems) != 1 || !got.Problems[0].Warning || !strings.Contains(got.Problems[0].Problem, ".xlsx is newer than "+e.SpreadsheetID+".csv") {
		t.Errorf("%+v", got.Problems)
	}
}

// shuffle plan, with three files in the folder of manifests: a hidden file of macOS, JSON with
// other names, and a manifest with a mistake.
func TestManifestFiles(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	w.finish(w.wanted())
	manifests := w.bucket("tuttle_twins", "manifests")
	w.put(filepath.Join(manifests, "._S01-episodes.json"), "\x00\x05\x16\x07")
	w.manifest(func(text string) string { return "\ufeff" + text })
	if got := w.only(0); got.Keep != w.wanted() {
		t.Errorf("%+v", got)
	}
	w.put(filepath.Join(manifests, "S02_episodes.json"), "[]")
	w.put(filepath.Join(manifests, "S03-episodes.json"), "[\n"+`{"season_code":"S03","episode_code":"E01"},`+"\n"+`{"season_code":"S03","episode_code":2}]`)
	problems := fmt.Sprint(w.plan(1).Problems)
	for _, want := range []string{"S02_episodes.json expected a name such as S01-episodes.json", "entry 2, line 3: episode_code: expected a text in quotes, found a JSON number"} {
		if !strings.Contains(problems, want) {
			t.Errorf("%s; expected %q", problems, want)
		}
	}
}
