package page

import (
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

const (
	runName  = "20261123T212443Z-42"
	sheetURL = "https://docs.google.com/spreadsheets/d/1abcDEF/edit#gid=5"
	frame    = dataset.Frame("TT_S01_E01_FRM-00-00-08-12")
)

var (
	site    = Site{Name: "media.angel-nft.com/tuttle_twins", Command: "shuffle --local ./x"}
	started = time.Date(2026, 11, 23, 21, 24, 43, 0, time.UTC)
)

// samplePlan has an episode with problems, one that is held, and one without changes.
func samplePlan() *state.Plan {
	totals := state.Totals{Keep: 28_000, Move: 300, Delete: 4}
	return &state.Plan{
		Run: runName, Generation: 42, State: state.Running, Tasks: totals.Tasks(), Totals: totals,
		Episodes: []state.EpisodePlan{
			{Season: "S01", Episode: "E01", State: state.EpisodePlanned, Sheet: sheetURL, Totals: totals, Problems: []state.Problem{
				{Row: 12, Frame: string(frame), Problem: "no source image"},
				{Row: 14, Frame: string(frame), Problem: "the frame stands in row 12 too", Warning: true},
			}, MoreProblems: 1},
			{Season: "S01", Episode: "E02", State: state.EpisodeHeld, Sheet: sheetURL, Reason: `sheet "Two": expected the column "FRAME NUMBER", found none; shuffle plan`},
			{Season: "S01", Episode: "E03", State: state.EpisodePlanned, Sheet: sheetURL},
		},
		Balance: []state.Balance{
			{Dataset: "train", Class: "Common", Before: 700, After: 698}, {Dataset: "test", Class: "Common", Before: 200, After: 202},
			{Dataset: "train", Class: "Rare", Before: 100, After: 100}, {Dataset: "test", Class: "Rare"},
		},
		MissingClasses: []string{"test/Rare"}, Leakage: 0.91, LeakageGrouped: 0.0055, CostUSD: 1.23,
		Orphans:  []state.Orphan{{Episode: "S01E09", Places: []string{"train/Rare"}}},
		Problems: []state.ManifestProblem{{Manifest: "S02-episodes.json", Problem: "unexpected end of JSON input"}},
		Settings: state.Settings{Definition: state.Definition{Seed: "seed", Split: "train=0.8,test=0.2", Group: "10s", Guard: 2, Subsample: 3, Classes: []string{"Common", "Rare"}}, Datasets: []string{"train", "test"}},
	}
}

// sampleRun returns a run in the given state, with the given numbers of done and dead tasks.
func sampleRun(s state.State, done, dead int) *Run {
	plan := samplePlan()
	p := state.Progress{
		Tasks: plan.Tasks, Done: done, Dead: dead, Open: plan.Tasks - done - dead, Outcomes: map[messages.Outcome]int{messages.Moved: done, messages.Dead: dead},
		Samples: []state.Sample{{Second: 100, Accounted: 0}, {Second: 101, Accounted: done / 2}, {Second: 102, Accounted: done}},
	}
	pointer := state.Pointer{Run: runName, Generation: 42, State: s, Tasks: plan.Tasks, Started: started}
	if !s.Active() {
		pointer.Finished = started.Add(83 * time.Second)
	}
	r := &Run{
		Run:       state.Run{Status: state.StatusOf(state.PointerSnapshot{Pointer: pointer}, p, plan), Plan: plan, Progress: p, InForce: true},
		ByEpisode: map[dataset.Episode]state.EpisodeProgress{"S01E01": {Tasks: plan.Tasks, Done: done, Dead: dead}},
	}
	for seq := range dead {
		r.Dead = append(r.Dead, state.DeadTask{
			Task: messages.Task{Seq: uint32(seq), Op: messages.Move, Frame: frame}, Code: "AccessDenied", Reason: "copy: Access Denied", Attempts: 2, Worker: "vm-1",
		})
	}
	return r
}

// ended returns a run with its report.
func ended(s state.State, dead, differences int) *Run {
	r := sampleRun(s, samplePlan().Tasks-dead, dead)
	r.Status.Differences = differences
	r.Report = &state.Report{Status: r.Status, Verified: true, Balance: r.Plan.Balance, Settings: r.Plan.Settings, Version: 42}
	r.Report.Unreadable = 1
	for range differences {
		r.Report.DifferenceList = append(r.Report.DifferenceList, state.Difference{Kind: state.Missing, Episode: "S01E01", Frame: frame, Key: "test/Rare/" + frame.File()})
	}
	return r
}
