package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dashboard"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
	"github.com/angel-nft/google-shuffle/tracker"
)

// season345k writes a running run of 12 episodes with 28,800 tasks each to a folder. Half of the
// tasks are done in random order, 2,000 are dead, and every sheet has 500 problems.
func season345k(b *testing.B) (*state.Store, *dirbucket.Bucket) {
	const episodes, frames, problems, deads = 12, 28_800, 500, 2_000
	dir, err := dirbucket.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = dir.Close() })
	store := &state.Store{Bucket: dir, Layout: dataset.Layout{Prefix: "tuttle_twins"}}
	const run = "20261123T212443Z-1"
	plan := &state.Plan{Run: run, Generation: 1, State: state.Running, Tasks: episodes * frames, Totals: state.Totals{Copy: episodes * frames}}
	plan.Settings = state.Settings{Definition: state.Definition{Seed: "seed", Split: "train=0.7,validate=0.1,test=0.2", Classes: []string{"Junk", "Common", "Uncommon", "Rare", "Legendary"}},
		Datasets: []string{"train", "validate", "test"}, Listed: []string{"train", "validate", "test"}, ImageSize: "thumbnails"}
	for i := range episodes {
		e := state.EpisodePlan{Season: "S01", Episode: fmt.Sprintf("E%02d", i+1), State: state.EpisodePlanned, FirstSeq: i * frames, Totals: state.Totals{Copy: frames}}
		for row := range problems {
			e.Problems = append(e.Problems, state.Problem{Row: row, Frame: string(dataset.FrameAt(e.Name(), row)), Problem: `unknown class "Epic" in JONNY's RECLASSIFICATION`})
		}
		plan.Episodes = append(plan.Episodes, e)
	}
	l := tracker.NewLedger(run, 1, plan.Tasks)
	for seq := 0; seq < plan.Tasks; seq += 2 {
		if err := l.Add(uint32(seq*7919%plan.Tasks), messages.Copied, 0); err != nil {
			b.Fatal(err)
		}
	}
	done := l.Done()
	var dead []state.DeadTask
	for seq := uint32(0); len(dead) < deads; seq++ {
		if !done.Contains(seq) {
			dead = append(dead, state.DeadTask{Task: messages.Task{Seq: seq, Op: messages.Copy, Frame: dataset.FrameAt("S01E01", int(seq))}, Code: "AccessDenied", Reason: "copy: Access Denied"})
			if err := l.Add(seq, messages.Dead, 0); err != nil {
				b.Fatal(err)
			}
		}
	}
	l.Publish(1, roaring.BitmapOf(3, 5))
	for second := range state.MaxSamples {
		l.Sample(time.Unix(int64(second), 0))
	}
	saveAll(b, store, plan, l, dead)
	return store, dir
}

func saveAll(b *testing.B, store *state.Store, plan *state.Plan, l *tracker.Ledger, dead []state.DeadTask) {
	b.Helper()
	var none bucket.Condition
	if err := store.WritePlan(b.Context(), plan); err != nil {
		b.Fatal(err)
	}
	if err := store.WriteJSON(b.Context(), state.RunName(plan.Run, state.LedgerName), l, none); err != nil {
		b.Fatal(err)
	}
	var lines []byte
	for _, d := range dead {
		line, err := json.Marshal(d)
		if err != nil {
			b.Fatal(err)
		}
		lines = append(append(lines, line...), '\n')
	}
	if _, err := store.Write(b.Context(), state.RunName(plan.Run, state.DeadName), lines, none); err != nil {
		b.Fatal(err)
	}
	p := state.Pointer{Run: plan.Run, Generation: 1, State: state.Running, Tasks: plan.Tasks, Started: time.Now()}
	if _, err := store.Swap(b.Context(), state.PointerSnapshot{}, p); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkFirstPaint measures the page of a run with 345,600 tasks, with nothing cached: the
// server's work until the first and only byte of the HTML is sent. DESIGN 11 requires less than 200
// ms.
func BenchmarkFirstPaint(b *testing.B) {
	store, dir := season345k(b)
	t := &tracker.Tracker{Store: store}
	size := 0
	for b.Loop() {
		handler := dashboard.New(dashboard.Options{Store: store, Bucket: dir, ReadLedger: t.ReadDetails})
		answer := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/runs/latest", nil)
		r.Host = "localhost"
		handler.ServeHTTP(answer, r)
		if size = answer.Body.Len(); answer.Code != http.StatusOK {
			b.Fatalf("status %d: %.500s", answer.Code, answer.Body)
		}
	}
	b.ReportMetric(float64(size), "bytes/page")
}

// season345kTables returns surveys of the same season: the class changes every two seconds, the
// dataset with each frame.
func season345kTables(_ context.Context, e dataset.Episode) (*inventory.Survey, error) {
	classes, datasets := []string{"Common", "Junk", "Rare", "Uncommon", "Legendary"}, []string{"train", "train", "train", "validate", "test"}
	s := &inventory.Survey{Episode: e, Base: "tuttle_twins/" + e.Folder() + "/default_eng/v1/frames/thumbnails/"}
	for i := range 28_800 {
		class := classes[i/48%5]
		seen := inventory.SurveyFrame{Frame: dataset.FrameAt(e, i), Row: i + 2, Class: class, Image: fmt.Sprint(e, i), Stands: []dataset.Place{{Dataset: datasets[i*7919%5], Class: class}}}
		seen.Cells[inventory.Unsupervised], seen.Cells[inventory.Supervised] = classes[i/24%5], class
		s.Frames = append(s.Frames, seen)
	}
	return s, nil
}

// BenchmarkSeasonPages measures the pages about a season of 345,600 frames whose tables have been
// read.
func BenchmarkSeasonPages(b *testing.B) {
	store, dir := season345k(b)
	t := &tracker.Tracker{Store: store}
	a := &app{}
	o := dashboard.Options{Store: store, Bucket: dir, ReadLedger: t.ReadDetails}
	a.addReaders(&o)
	o.ReadSurvey, o.ReadQueues, o.ReadHistory = season345kTables, nil, nil
	handler := dashboard.New(o)
	get := func(path string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "localhost"
		handler.ServeHTTP(answer, r)
		if answer.Code != http.StatusOK {
			b.Fatalf("%s: status %d: %.500s", path, answer.Code, answer.Body)
		}
		return answer
	}
	for strings.Contains(get("/frames").Body.String(), "The page updates itself") {
	}
	for _, path := range []string{"/frames", "/frames?class=Rare&skip=60000", "/episodes", "/episodes/S01E02", "/episodes/S01E02?group=10s&guard=2", "/labels", "/duplicates", "/frames/TT_S01_E02_FRM-00-00-08-12"} {
		b.Run(path, func(b *testing.B) {
			size := 0
			for b.Loop() {
				size = get(path).Body.Len()
			}
			b.ReportMetric(float64(size), "bytes/page")
		})
	}
}
