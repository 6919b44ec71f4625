package show

import (
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

var (
	started  = time.Date(2026, 11, 23, 21, 24, 43, 0, time.UTC)
	finished = started.Add(83 * time.Second)
)

// status has done tasks of all kinds; the others are open.
func status(s state.State, tasks, done, dead int) state.Status {
	st := state.Status{
		Run: run, Generation: 42, State: s, Tasks: tasks, Done: done, Dead: dead, Started: started, Held: []state.HeldEpisode{},
		Outcomes: map[messages.Outcome]int{
			messages.Copied: done / 10, messages.Moved: done - done/10, messages.Refreshed: 0, messages.Deleted: 0,
			messages.Dead: dead, messages.Superseded: 0,
		},
	}
	eta := 0.0
	if !s.Active() {
		st.Finished, st.ETASeconds, st.Rate = &finished, &eta, 812.4
	}
	return st
}

func runningStatus() state.Status {
	st := status(state.Running, 345_600, 212_045, 12)
	eta := 133_543 / 2411.7
	st.Rate, st.ETASeconds = 2411.7, &eta
	return st
}

func idleStatus() state.Status {
	st := status(state.Running, 345_600, 212_045, 0)
	last := 754.0
	st.IdleSeconds, st.LastResultSeconds = last, &last
	return st
}

// staleStatus has had no result for some seconds.
func staleStatus() state.Status {
	st := status(state.Running, 345_600, 212_045, 0)
	last := 14.2
	st.LastResultSeconds = &last
	return st
}

func earlierDead() state.Status {
	st := deadStatus()
	st.Earlier = true
	return st
}

func heldStatus() state.Status {
	st := status(state.Succeeded, 334, 334, 0)
	st.Held = samplePlan().Held()
	return st
}

func restoredStatus() state.Status {
	st := status(state.Succeeded, 334, 334, 0)
	st.Restores = 38
	return st
}

func deadStatus() state.Status {
	st := status(state.Failed, 1284, 1272, 12)
	st.Reason = "12 tasks are dead: see shuffle dead " + run + "; then shuffle redrive " + run
	return st
}

func differentStatus() state.Status {
	st := status(state.Failed, 1284, 1284, 0)
	st.Differences = 13
	st.Reason = "13 differences: " + sampleDifferences()[0].String() + "; see report.json of the run, and run shuffle plan again"
	return st
}

func reviewStatus() state.Status {
	st := status(state.Review, 334, 0, 0)
	st.Finished, st.Rate = nil, 0
	return st
}

func sampleDifferences() []state.Difference {
	const frame = dataset.Frame("TT_S01_E01_FRM-00-00-08-12")
	file := frame.File()
	return []state.Difference{
		{Kind: state.Missing, Episode: "S01E01", Frame: frame, Key: "test/Rare/" + file},
		{Kind: state.Misplaced, Episode: "S01E01", Frame: frame, Key: "test/Rare/" + file, Found: "train/Common/" + file},
		{Kind: state.Unexpected, Episode: "S01E01", Frame: frame, Key: "train/Rare/" + file},
		{Kind: state.Content, Episode: "S01E01", Frame: frame, Key: "train/Rare/" + file, Want: "0cc175b9c0f1b6a831c399e269772661", Found: "92eb5ffee6ae2fec3ad71c777531578f"},
		{Kind: state.Changed, Episode: "S01E03"},
	}
}

func report(st state.Status) *state.Report {
	p := samplePlan()
	return &state.Report{Status: st, Verified: true, Totals: p.Totals, Episodes: p.Episodes[:3], Balance: p.Balance, MissingClasses: p.MissingClasses,
		Version: st.Generation, CostUSD: p.CostUSD, Leakage: p.Leakage, LeakageGrouped: p.LeakageGrouped, IdenticalImages: p.IdenticalImages, Settings: settings}
}

func heldReport() *state.Report {
	r := report(heldStatus())
	r.Episodes = samplePlan().Episodes
	return r
}

func deadReport() *state.Report {
	r := report(deadStatus())
	r.Verified, r.Version, r.DeadCodes, r.Unreadable = false, 41, map[string]int{"AccessDenied": 10, "": 2}, 1
	return r
}

func differentReport() *state.Report {
	r := report(differentStatus())
	r.Version, r.DifferenceList = 0, sampleDifferences()
	for i := range 8 {
		d := sampleDifferences()[0]
		d.Key = "test/Common/" + dataset.FrameAt("S01E02", i).File()
		r.DifferenceList = append(r.DifferenceList, d)
	}
	return r
}

func sampleDead() []state.DeadTask {
	task := messages.Task{Seq: 1234, Op: messages.Move, Frame: "TT_S01_E01_FRM-00-00-08-12"}
	other := messages.Task{Seq: 7, Op: messages.Copy, Frame: "TT_S01_E03_FRM-00-12-08-01"}
	return []state.DeadTask{
		{Task: other, Reason: "received 5 times without a result: its worker died or was cut off each time", Attempts: 5},
		{Task: task, Code: "AccessDenied", Attempts: 1, Worker: "ip-10-0-3-17", Reason: "copy tuttle_twins/ML/test/Rare/TT_S01_E01_FRM-00-00-08-12.jpg: " +
			"operation error S3: CopyObject, https response error StatusCode: 403, api error AccessDenied: User: arn:aws:sts::123456789012:assumed-role/shuffle/i-0abc is not authorized to perform: s3:PutObject"},
		{Task: messages.Task{Seq: 345_599, Op: messages.Delete, Frame: "TT_S01_E12_FRM-00-19-59-23"}, Code: "AccessDenied", Reason: "Access Denied"},
	}
}

func sampleRuns() []state.Status {
	older, long := deadStatus(), runningStatus()
	older.Run, older.Generation = "20261122T060000Z-41", 41
	long.Run = "20261124T060000Z-43"
	superseded := state.Status{Run: "20261121T060000Z-40", State: state.Superseded}
	return []state.Status{older, heldStatus(), long, superseded, func() state.Status { st := differentStatus(); st.Run = "20261120T060000Z-39"; return st }()}
}

func sampleChecks() []Check {
	return []Check{
		{Name: "AWS credentials", OK: true, Detail: "arn:aws:sts::123456789012:assumed-role/shuffle/i-0abc"},
		{Name: "bucket media.angel-nft.com", OK: true, Detail: "list, read, write and delete work"},
		{Name: "sheet S01E04", Detail: "googleapi: Error 403: The caller does not have permission, forbidden",
			Fix: "share the spreadsheet with shuffle@angel-nft.iam.gserviceaccount.com as a viewer: " + sheetURL},
		{Name: "queue google-shuffle-tasks", Detail: "no redrive policy", Fix: "shuffle setup"},
	}
}

// notedStatus is an active run that says what it waits for, or why it cannot go on.
func notedStatus(in state.State, note string) state.Status {
	st := status(in, 0, 0, 0)
	if in != state.Planning {
		st = status(in, 334, 334, 0)
	}
	st.Note = note
	return st
}
