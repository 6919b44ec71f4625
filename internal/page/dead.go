package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// DeadGroup is the dead tasks of one cause.
type DeadGroup struct {
	Code     string
	Count    int
	Reason   string // of the first one
	Episodes []dataset.Episode
	// Command is what to type when the cause is fixed, and Does explains it.
	Command, Does string
}

// maxSeqs is how many tasks a command names one by one.
const maxSeqs = 12

// DeadGroups groups the dead tasks by cause, the most frequent first.
func (r *Run) DeadGroups() []DeadGroup {
	byCode := map[string][]state.DeadTask{}
	for _, d := range r.Dead {
		code := cmp.Or(d.Code, "no code: the worker died")
		byCode[code] = append(byCode[code], d)
	}
	var all []DeadGroup
	for code, tasks := range byCode {
		g := DeadGroup{Code: code, Count: len(tasks), Reason: tasks[0].Reason}
		for _, t := range tasks {
			if t.Task.Frame != "" && !slices.Contains(g.Episodes, t.Task.Frame.Episode()) {
				g.Episodes = append(g.Episodes, t.Task.Frame.Episode())
			}
		}
		slices.Sort(g.Episodes)
		g.Command, g.Does = r.deadCommand(code, tasks, len(byCode) > 1)
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b DeadGroup) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Code, b.Code)) })
	return all
}

// deadCommand is the command for the dead tasks of one cause. others is true when the run has dead
// tasks of other causes too.
func (r *Run) deadCommand(code string, tasks []state.DeadTask, others bool) (command, does string) {
	switch {
	case r.Status.Earlier:
		return "plan", "A newer run has begun, so these tasks cannot be published again. A new plan includes what they have not done."
	case code == bucket.CodeNoSuchKey:
		return "plan", "The image that the task copies is gone, so the task can never succeed. Plan again: the new plan uses the images that exist now."
	case !others:
		return "redrive " + r.Status.Run, "Fix the cause, then publish them again:"
	case len(tasks) > maxSeqs:
		return "redrive " + r.Status.Run, "Fix the cause, then publish all dead tasks of the run again:"
	}
	var seqs strings.Builder
	for _, t := range tasks {
		fmt.Fprintf(&seqs, " --seq %d", t.Task.Seq)
	}
	return "redrive " + r.Status.Run + seqs.String(), "Fix the cause, then publish these again:"
}
