package planner

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
	"github.com/angel-nft/google-shuffle/messages"
)

// everythingIn puts all frames into one dataset.
func everythingIn(name string) *Assigner {
	return &Assigner{Split: Split{{Dataset: name, Ratio: 1}}, Seed: "x"}
}

// TestCauseOfChange is the table in the comment of causeOfChange, row by row. Each row has the
// combinations that it covers. The frame is wanted at K = test/Rare.
func TestCauseOfChange(t *testing.T) {
	f := dataset.FrameAt(e1, 0)
	rare := rows.Row{Frame: f, Class: "Rare", Row: 17, Column: rows.ColumnJonny}
	blank := rows.Row{Frame: f, Row: 17}
	common := dataset.Place{Dataset: "test", Class: "Common"}
	farCommon := dataset.Place{Dataset: "train", Class: "Common"}
	image := map[dataset.Frame]string{f: right}
	guarded := everythingIn("test")
	guarded.Subsample = 1 << 30 // keeps no unit
	type places = []dataset.Copy
	for _, test := range []struct {
		name   string
		rows   []rows.Row
		images map[dataset.Frame]string
		assign *Assigner
		stands places
		want   state.FrameChange
	}{
		// none | any | delete: every copy | row gone
		{"no row", nil, image, nil, places{rightAt(atP)}, state.FrameChange{Op: messages.Delete, Cause: state.ChangeRowGone, From: atP}},
		{"no row and no image", nil, nil, nil, places{rightAt(atP), oldAt(common)}, state.FrameChange{Op: messages.Delete, Cause: state.ChangeRowGone, From: atP}},
		// without a class | any | delete: every copy | unlabelled
		{"class cleared", []rows.Row{blank}, image, nil, places{rightAt(atK)}, state.FrameChange{Row: 17, Op: messages.Delete, Cause: state.ChangeUnlabelled, From: atK}},
		{"class cleared and no image", []rows.Row{blank}, nil, nil, places{rightAt(atK)}, state.FrameChange{Row: 17, Op: messages.Delete, Cause: state.ChangeUnlabelled, From: atK}},
		// with a class | none | delete: every copy | image gone
		{"no image", []rows.Row{rare}, nil, nil, places{rightAt(atK)}, state.FrameChange{Row: 17, Op: messages.Delete, Cause: state.ChangeImageGone, From: atK, Column: rows.ColumnJonny}},
		{"relabelled and no image", []rows.Row{rare}, nil, nil, places{rightAt(common)}, state.FrameChange{Row: 17, Op: messages.Delete, Cause: state.ChangeImageGone, From: common, Column: rows.ColumnJonny}},
		// with a class | there | delete: every copy, since guard, subsample or pins leave it out | settings
		{"left out", []rows.Row{rare}, image, guarded, places{rightAt(atK)}, state.FrameChange{Row: 17, Op: messages.Delete, Cause: state.ChangeSettings, From: atK, Column: rows.ColumnJonny}},
		{"left out and relabelled", []rows.Row{rare}, image, guarded, places{rightAt(common)}, state.FrameChange{Row: 17, Op: messages.Delete, Cause: state.ChangeSettings, From: common, Column: rows.ColumnJonny}},
		// with a class | there | delete: others than the one at K | stray copy
		{"a second copy", []rows.Row{rare}, image, nil, places{rightAt(atP), rightAt(atK)}, state.FrameChange{Row: 17, Op: messages.Delete, Cause: state.ChangeStrayCopy, From: atP, To: atK, Column: rows.ColumnJonny}},
		// with a class | there | copy | new
		{"nowhere yet", []rows.Row{rare}, image, nil, nil, state.FrameChange{Row: 17, Op: messages.Copy, Cause: state.ChangeNew, To: atK, Column: rows.ColumnJonny}},
		// with a class | there | refresh, and perhaps delete others | image changed
		{"old content", []rows.Row{rare}, image, nil, places{oldAt(atK)}, state.FrameChange{Row: 17, Op: messages.Refresh, Cause: state.ChangeImageChanged, From: atK, To: atK, Column: rows.ColumnJonny}},
		{"old content and a second copy", []rows.Row{rare}, image, nil, places{rightAt(common), oldAt(atK)}, state.FrameChange{Row: 17, Op: messages.Refresh, Cause: state.ChangeImageChanged, From: atK, To: atK, Column: rows.ColumnJonny}},
		// with a class | there | move; a copy is in its class, with any content | settings
		{"another dataset", []rows.Row{rare}, image, nil, places{rightAt(atP)}, state.FrameChange{Row: 17, Op: messages.Move, Cause: state.ChangeSettings, From: atP, To: atK, Column: rows.ColumnJonny}},
		{"another dataset and old content", []rows.Row{rare}, image, nil, places{oldAt(atP)}, state.FrameChange{Row: 17, Op: messages.Move, Cause: state.ChangeSettings, From: atP, To: atK, Column: rows.ColumnJonny}},
		{"another dataset, and a copy of another class", []rows.Row{rare}, image, nil, places{rightAt(common), rightAt(atP)}, state.FrameChange{Row: 17, Op: messages.Move, Cause: state.ChangeSettings, From: atP, To: atK, Column: rows.ColumnJonny}},
		// with a class | there | move; copies are in no class, but in a dataset | stray copy
		{"in the folder of a dataset", []rows.Row{rare}, image, nil, places{rightAt(atRoot)}, state.FrameChange{Row: 17, Op: messages.Move, Cause: state.ChangeStrayCopy, From: atRoot, To: atK, Column: rows.ColumnJonny}},
		// with a class | there | move; otherwise, with any dataset and content | relabelled
		{"another class", []rows.Row{rare}, image, nil, places{rightAt(common)}, state.FrameChange{Row: 17, Op: messages.Move, Cause: state.ChangeRelabelled, From: common, To: atK, Column: rows.ColumnJonny}},
		{"another class and dataset", []rows.Row{rare}, image, nil, places{rightAt(farCommon)}, state.FrameChange{Row: 17, Op: messages.Move, Cause: state.ChangeRelabelled, From: farCommon, To: atK, Column: rows.ColumnJonny}},
		{"another class and old content", []rows.Row{rare}, image, nil, places{oldAt(common)}, state.FrameChange{Row: 17, Op: messages.Move, Cause: state.ChangeRelabelled, From: common, To: atK, Column: rows.ColumnJonny}},
		{"another class, dataset and content", []rows.Row{rare}, image, nil, places{oldAt(farCommon)}, state.FrameChange{Row: 17, Op: messages.Move, Cause: state.ChangeRelabelled, From: farCommon, To: atK, Column: rows.ColumnJonny}},
		{"a misspelt class", []rows.Row{rare}, image, nil, places{rightAt(dataset.Place{Dataset: "test", Class: "rare"})}, state.FrameChange{Row: 17, Op: messages.Move, Cause: state.ChangeRelabelled, From: dataset.Place{Dataset: "test", Class: "rare"}, To: atK, Column: rows.ColumnJonny}},
	} {
		in := EpisodeInput{
			Episode: e1, Layout: layout, Same: sameETag, Images: test.images, Assign: test.assign, Standing: dataset.Standing{f: test.stands},
			Sheet: rows.Sheet{Rows: test.rows, Base: "x/"},
		}
		if in.Assign == nil {
			in.Assign = everythingIn("test")
		}
		test.want.Frame = f
		out := PlanEpisode(in)
		if diff := cmp.Diff([]state.FrameChange{test.want}, out.Changes); diff != "" || len(out.Tasks) != 1 {
			t.Errorf("%s: %d tasks (-want +got):\n%s", test.name, len(out.Tasks), diff)
		}
	}
}

// TestNoCauseWithoutChange checks that a kept or frozen frame has no cause and no change.
func TestNoCauseWithoutChange(t *testing.T) {
	f := dataset.FrameAt(e1, 0)
	for _, row := range []rows.Row{{Frame: f, Class: "Rare"}, {Frame: f, Frozen: true}} {
		out := PlanEpisode(EpisodeInput{
			Episode: e1, Layout: layout, Same: sameETag, Images: map[dataset.Frame]string{f: right}, Assign: everythingIn("test"),
			Standing: dataset.Standing{f: {rightAt(atK)}}, Sheet: rows.Sheet{Rows: []rows.Row{row}},
		})
		if len(out.Changes) != 0 {
			t.Errorf("%+v: %+v", row, out.Changes)
		}
	}
}

// TestCauseOfPruneAndRestore checks that all changes of a prune or a restore have the same cause.
func TestCauseOfPruneAndRestore(t *testing.T) {
	f, g := dataset.FrameAt(e1, 0), dataset.FrameAt(e1, 1)
	in := EpisodeInput{
		Episode: e1, Layout: layout, Same: sameETag, Images: map[dataset.Frame]string{f: right, g: right}, Assign: everythingIn("test"),
		Standing: dataset.Standing{f: {rightAt(atK)}, g: {rightAt(atP)}}, AllowDelete: true,
	}
	if got := PruneEpisode(in).Changes; len(got) != 2 || got[0].Cause != state.ChangeOrphan || got[1].Cause != state.ChangeOrphan || got[1].From != atP {
		t.Errorf("prune: %+v", got)
	}
	got := RestoreEpisode(in, 3, []version.Row{{Place: atP, Frame: f, ETag: right}}).Changes
	want := []state.FrameChange{
		{Frame: f, Op: messages.Move, Cause: state.ChangeRestore, From: atK, To: atP},
		{Frame: g, Op: messages.Delete, Cause: state.ChangeRestore, From: atP},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("restore (-want +got):\n%s", diff)
	}
}

// TestHeldChanges checks that the changes of a held episode can be read before they are allowed.
func TestHeldChanges(t *testing.T) {
	in := EpisodeInput{Episode: e1, Layout: layout, Same: sameETag, Assign: everythingIn("test"), Images: map[dataset.Frame]string{}, Standing: dataset.Standing{}}
	for i := range 100 {
		f := dataset.FrameAt(e1, i)
		in.Images[f], in.Standing[f] = right, []dataset.Copy{rightAt(atK)}
		row := rows.Row{Frame: f, Row: i + 2, Class: "Rare", Column: rows.ColumnSupervised}
		if i < 30 {
			row.Class, row.Column = "", ""
		}
		in.Sheet.Rows = append(in.Sheet.Rows, row)
	}
	out := PlanEpisode(in)
	if out.Held == "" || len(out.Tasks) != 0 || len(out.Changes) != 30 {
		t.Fatalf("held %q, %d tasks, %d changes", out.Held, len(out.Tasks), len(out.Changes))
	}
	for i, c := range out.Changes {
		want := state.FrameChange{Frame: dataset.FrameAt(e1, i), Row: i + 2, Op: messages.Delete, Cause: state.ChangeUnlabelled, From: atK, Held: true}
		if c != want {
			t.Errorf("%+v, want %+v", c, want)
		}
	}
	in.AllowDelete = true
	if out := PlanEpisode(in); out.Held != "" || len(out.Changes) != 30 || out.Changes[0].Held {
		t.Errorf("allowed: %q, %+v", out.Held, out.Changes[0])
	}
}

// TestChangesOfAPlan checks that the plan has the counts, and that the bucket has all changes of
// any kind of run. The changes are those of the tasks.
func TestChangesOfAPlan(t *testing.T) {
	bubble(t, "published", func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1, e2)
		w.episode(e1, 40)
		w.episode(e2, 5)
		w.converge(Options{})
		all := frames(e1, 40)
		w.sheet(e1, append(table("Common", all[:30]), table("Rare", all[30:])...))
		var seen []state.FrameChange
		dry := w.plan(Options{DryRun: true, OnChanges: func(e dataset.Episode, changes []state.FrameChange) error {
			if e != e1 {
				t.Errorf("changes of %s", e)
			}
			seen = append(seen, changes...)
			return nil
		}})
		plan := w.plan(Options{Review: true})
		want := []state.ChangeCount{{Episode: e1, Cause: state.ChangeRelabelled, Count: 10, First: seen[:3]}}
		if diff := cmp.Diff(want, plan.Changes); diff != "" || !cmp.Equal(plan.Changes, dry.Changes) {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		var stored []state.FrameChange
		for changes, err := range w.store.RunChanges(t.Context(), plan) {
			w.must(err)
			stored = append(stored, changes...)
		}
		if diff := cmp.Diff(seen, stored); diff != "" {
			t.Errorf("stored (-dry run +stored):\n%s", diff)
		}
		// A plan of an earlier release has only tasks.
		plan.Changes = nil
		var derived []state.FrameChange
		for changes, err := range w.store.RunChanges(t.Context(), plan) {
			w.must(err)
			derived = append(derived, changes...)
		}
		for i := range stored {
			stored[i].Cause, stored[i].Row, stored[i].Column = "", 0, ""
		}
		if diff := cmp.Diff(stored, derived); diff != "" {
			t.Errorf("derived (-want +got):\n%s", diff)
		}
	})
	bubble(t, "a callback that fails", func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1)
		w.episode(e1, 4)
		full := fmt.Errorf("the disk is full")
		_, err := w.planner().Plan(t.Context(), Options{DryRun: true, OnChanges: func(dataset.Episode, []state.FrameChange) error { return full }})
		if err == nil {
			t.Error("no error")
		}
	})
}
