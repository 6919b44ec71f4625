package page

import (
	"net/url"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Limits of the lists in a report and on the page of a run. Other pages have the whole lists.
const (
	fileProblems     = 200 // of each episode in a report
	fileDead         = 500
	shownDifferences = 100
)

// Run is the page of a run, and the report of it.
type Run struct {
	state.Run
	Dead []state.DeadTask
	// ByEpisode is the progress of each episode with tasks.
	ByEpisode map[dataset.Episode]state.EpisodeProgress
	// Live is the state of workers and queues while the run is active; nil when it is not known.
	Live *Live
	// Tiles are some of the frames that the run changes, with their images, for a report.
	Tiles []Tile
}

func (r *Run) template() string { return "run" }

// Title is that of the document.
func (r *Run) Title() string { return string(r.Status.State) + " · " + r.Status.Run }

// Path is the page's address.
func (r *Run) Path() string { return RunPath(r.Status.Run) }

// RunPath is the address of a run's page.
func RunPath(run string) string { return "/runs/" + url.PathEscape(run) }

// Events is empty for a run that is no longer in force: it does not change any more.
func (r *Run) Events() string {
	if !r.InForce {
		return ""
	}
	return r.Path() + "/events"
}

// Superseded is the number of tasks that were not applied because a newer run had begun.
func (r *Run) Superseded() int { return r.Status.Outcomes[messages.Superseded] }

// Accounted is the number of tasks whose end is known.
func (r *Run) Accounted() int { return advice.Accounted(r.Status) }

// Open is the number of tasks that are not accounted for.
func (r *Run) Open() int { return max(r.Status.Tasks-r.Accounted(), 0) }

// Share is how much is accounted for, 0 to 1.
func (r *Run) Share() float64 {
	if r.Status.Tasks == 0 {
		return 1
	}
	return float64(r.Accounted()) / float64(r.Status.Tasks)
}

// RoundedPercent is Share in steps of ten percent: a screen reader reads each change aloud.
func (r *Run) RoundedPercent() int { return int(r.Share()*10) * 10 }

// DurationSeconds is the run's duration, 0 until it has ended.
func (r *Run) DurationSeconds() float64 {
	if r.Status.Finished == nil {
		return 0
	}
	return r.Status.Finished.Sub(r.Status.Started).Seconds()
}

// ETA is the expected time to the end in seconds. Call it only when that is known.
func (r *Run) ETA() float64 { return *r.Status.ETASeconds }

// Bar is the progress bar.
func (r *Run) Bar() Bar {
	return newBar(r.Status.Tasks, r.Status.Done, r.Accounted()-r.Status.Done)
}

// Throughput is the chart of the ledger's samples.
func (r *Run) Throughput() Throughput { return newThroughput(r.Progress.Samples) }

// Change is one kind of what a run does, as planned and as done so far.
type Change struct {
	Op      messages.Op
	Does    string
	Planned int
	Done    int
	Path    string // of the contact sheet
}

// Changes are the four kinds of tasks.
func (r *Run) Changes() []Change {
	t := r.Plan.Totals
	all := []Change{
		{Op: messages.Copy, Does: "a frame that was in no dataset", Planned: t.Copy},
		{Op: messages.Move, Does: "a frame from one class or dataset to another", Planned: t.Move},
		{Op: messages.Refresh, Does: "a frame whose image has changed", Planned: t.Refresh},
		{Op: messages.Delete, Does: "a frame that belongs in no dataset any more", Planned: t.Delete},
	}
	for i := range all {
		all[i].Done = r.Status.Outcomes[all[i].Op.Done()]
		all[i].Path = r.changesPath("op", string(all[i].Op))
	}
	return all
}

// Planned reports whether there is a plan to show.
func (r *Run) Planned() bool { return r.Plan.Run != "" }

// Balance is the frames by class and dataset: of the listing when the run was verified, else as
// planned.
func (r *Run) Balance() Balance {
	if r.Report != nil {
		return newBalance(r.Report.Balance, r.Report.Settings)
	}
	return newBalance(r.Plan.Balance, r.Plan.Settings)
}

// BalanceSource explains where the numbers before and after a run come from.
func (r *Run) BalanceSource() string {
	switch {
	case r.Report != nil && r.Report.Verified:
		return "Frames before the run → after it, as the last listing counted them."
	case r.Status.Ended():
		return "Frames before the run → as it was planned. Nothing was listed when the run ended, so the datasets may differ now."
	}
	return "Frames before the run → as it is planned."
}

// Steps are the next commands for the run's state.
func (r *Run) Steps() []advice.Step { return advice.ForStatus(r.Status) }

// Self is the run, for the parts of templates that several kinds of pages share.
func (r *Run) Self() *Run { return r }

// Differences are the first ones that the verification found.
func (r *Run) Differences() []state.Difference {
	if r.Report == nil {
		return nil
	}
	return r.Report.DifferenceList[:min(len(r.Report.DifferenceList), shownDifferences)]
}

// ShownDead are the first dead tasks, for a report.
func (v view) ShownDead(r *Run) []state.DeadTask { return r.Dead[:min(len(r.Dead), fileDead)] }
