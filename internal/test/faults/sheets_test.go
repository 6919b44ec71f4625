package faults_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/api/option"

	"github.com/angel-nft/google-shuffle/internal/gsheet"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
)

// TestFaultsOfSheets: what a client reads of a worksheet with four rows while a rule hits its first
// requests.
func TestFaultsOfSheets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind     faults.Kind
		rows     []int // any of these counts
		requests int64 // including retries
	}{
		{faults.Quota, []int{4}, 3}, {faults.InternalError, []int{4}, 3}, {faults.SlowDown, []int{4}, 3}, {faults.Cut, []int{4}, 3},
		{faults.Truncated, []int{4}, 3}, {faults.Slow, []int{4}, 2}, {faults.FewerRows, []int{1, 2}, 2}, {faults.NoValues, []int{0}, 2},
		{faults.Event, []int{4}, 2},
	} {
		api := sheettest.NewServer()
		api.Set("ID", sheettest.One("Frames", []string{"FRAME NUMBER"}, []string{"a"}, []string{"b"}, []string{"c"}))
		front := faults.New(http.NotFoundHandler(), 7)
		var asked atomic.Int64
		front.Sheets = api
		front.Add(faults.Rule{Kind: tt.kind, From: "me", Op: "values.get", Target: "ID", First: 1, Do: func(faults.Request) {}})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			front.ServeHTTP(w, r)
		}))
		sheets, err := gsheet.New(t.Context(), option.WithEndpoint(server.URL+faults.SheetsPath+"me/"), option.WithoutAuthentication())
		must(t, err)
		v, err := sheets.Values(t.Context(), "ID", "0")
		server.Close()
		if err != nil || !slices.Contains(tt.rows, len(v.Rows)) || asked.Load() != tt.requests || front.Counts()[tt.kind] != 1 {
			t.Errorf("%s: %d rows, %v, after %d requests; expected %v rows after %d", tt.kind, len(v.Rows), err, asked.Load(), tt.rows, tt.requests)
		}
	}
}

// TestEditedMeanwhile: sheets are edited while the planner is between two of them, while it
// publishes and while workers apply. The run ends according to its plan, and the next run applies
// the edits that came too late.
func TestEditedMeanwhile(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 2, Frames: 60}, services("w1", "t1")), t.Context()
	_, err := w.run(ctx)
	must(t, err)
	must(t, w.relabel(30))
	for _, rule := range []faults.Rule{
		{From: "plan", Op: "values.get", First: 2}, {From: "plan", Op: "SendMessageBatch", First: 2}, {From: "w", Op: "CopyObject", First: 20},
	} {
		rule.Kind, rule.Do = faults.Event, func(faults.Request) {
			for i := range w.season.Episodes {
				if err := w.changeOf(i, func(e *season.Episode) error { e.Relabel(2); return nil }); err != nil {
					w.broke(err)
				}
			}
		}
		w.front.Add(rule)
	}
	first, err := w.run(ctx)
	must(t, err)
	next, err := w.run(ctx)
	must(t, err)
	if counts := w.front.Counts()[faults.Event]; counts != 3 || first.Tasks < 28 || first.Tasks > 34 || next.Tasks < 4 || next.Tasks > 12 {
		t.Errorf("%d edits; %d tasks, then %d", counts, first.Tasks, next.Tasks)
	}
	must(t, errors.Join(w.converge(ctx), w.check(ctx)))
}

// TestRowsLost: later in its life, a sheet loses more than a tenth of its rows, while Sheets, S3
// and SQS fail. No frame is deleted and the other episode continues. --allow-delete then deletes
// the frames.
func TestRowsLost(t *testing.T) {
	t.Parallel()
	w, ctx := newScene(t, season.Options{Episodes: 2, Frames: 100}, services("w1", "w2", "t1")), t.Context()
	_, err := w.run(ctx)
	must(t, err)
	w.front.Add(
		faults.Rule{Kind: faults.Quota, Share: 0.2}, faults.Rule{Kind: faults.Truncated, Share: 0.2},
		faults.Rule{Kind: faults.InternalError, Share: 0.05}, faults.Rule{Kind: faults.Duplicated, Share: 0.3}, faults.Rule{Kind: faults.LostDelete, Share: 0.3},
	)
	must(t, w.change(func(e *season.Episode) error {
		w.lost = e.RemoveRows(25)
		return nil
	}))
	must(t, w.changeOf(1, func(e *season.Episode) error { e.Relabel(10); return nil }))
	plan, err := w.plan(ctx, 1)
	must(t, err)
	held := plan.Held()
	if len(held) != 1 || held[0].Cause != state.CauseDeletions || plan.Totals.Delete != 0 || plan.Totals.Move != 10 {
		t.Errorf("held %+v, %+v", held, plan.Totals)
	}
	must(t, w.succeeds(ctx))
	w.expectOutput(t, 1, "status", "would delete 25 of the 99 frames", "shuffle plan --allow-delete S01E01")
	w.front.Calm()
	must(t, errors.Join(w.converge(ctx), w.check(ctx)))
}

// TestClocksApart: the planner's clock is a day ahead, a worker's is an hour behind until it jumps,
// the tracker's is a day behind. All guarantees hold, the newest run is still the newest, and an
// unreadable message is counted.
func TestClocksApart(t *testing.T) {
	t.Parallel()
	must(t, buildWithClocks())
	const day = 24 * time.Hour
	w, ctx := newScene(t, season.Options{Episodes: 1, Frames: 60}, nil), t.Context()
	var later atomic.Bool
	w.clock = func(name string) clock {
		if later.Load() {
			return clock{by: -day}
		}
		return map[byte]clock{'p': {by: day}, 'w': {by: -time.Hour, after: 2 * time.Second, then: time.Hour}, 't': {by: -day, after: 3 * time.Second}}[name[0]]
	}
	w.serve(services("w1", "w2", "t1")...)
	first, err := w.run(ctx)
	must(t, err)
	if began := state.StartOf(first.Run); time.Until(began) < 23*time.Hour {
		t.Errorf("run %s: the planner's clock is not a day ahead", first.Run)
	}
	later.Store(true) // for planners from here on, and for services that are started again
	must(t, w.relabel(20))
	w.front.Add(faults.Rule{Kind: faults.CrashAfter, From: "w1", Op: "CopyObject", First: 5, Do: func(q faults.Request) { w.kill(q.From) }})
	w.front.Add(faults.Rule{Kind: faults.Event, From: "w", Op: "CopyObject", First: 2, Do: func(faults.Request) { w.send(queueNames[1], "what is this?") }})
	second, err := w.run(ctx)
	must(t, err)
	w.expectOutput(t, 0, "status", second.Run, "1 unreadable")
	var runs []state.Status
	if code, err := w.command(ctx, &runs, "runs", "--json"); err != nil || code != 0 || len(runs) != 2 || runs[0].Run != second.Run {
		t.Errorf("runs: exit code %d, %v, %+v", code, err, runs)
	}
	must(t, errors.Join(w.converge(ctx), w.check(ctx)))
}
