package page

import (
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Episodes lists the episodes of a season.
type Episodes struct {
	Reading ReadProgress
	Fields  []Field
	Rows    []EpisodeLine
	Query   string
}

// EpisodeLine is an episode in the list.
type EpisodeLine struct {
	Episode                      dataset.Episode
	Sheet                        string // URL
	Held                         string
	Frames, InDatasets, Problems int
	Unclassified                 int
	Classes                      Lane
}

func (p *Episodes) template() string { return "season" }

// Title is that of the document.
func (p *Episodes) Title() string { return "Episodes" }

// Events is the address of the page's events while episodes are being read.
func (p *Episodes) Events() string { return eventsPath(p.Reading, "/episodes/events", p.Query) }

// Episode is the page of one episode: its time as lanes, and what other settings would do to it.
type Episode struct {
	Episode        dataset.Episode
	Previous, Next dataset.Episode
	Sheet          string // URL
	Known          bool   // its sheet and listings have been read
	Reading        ReadProgress
	Frames         int
	First, Last    int // indexes of the frames at both ends of the lanes
	Lanes          []Lane
	Problems       int         // frames with one, as the sheet is now
	Run            RunProblems // of the newest run
	Fields         []Field     // of the what-if
	WhatIf         *WhatIf     // nil while it is being drawn
	Failed         string      // why there is no WhatIf
	Query          string
	Drawing        bool
}

// RunProblems is how many problems a run's plan found in an episode, and how many of them the run
// before did not have.
type RunProblems struct {
	All, New int
	Path     string // of the list
}

// ProblemsOf counts the problems that the run found in an episode.
func (r *Run) ProblemsOf(e dataset.Episode) (p RunProblems) {
	for _, plan := range r.Plan.Episodes {
		if plan.Name() == e {
			p = RunProblems{All: plan.ProblemCount(), New: newProblems(plan), Path: r.Path() + "/problems?episode=" + string(e)}
		}
	}
	return p
}

// NewPath is the address of the new ones.
func (p RunProblems) NewPath() string { return p.Path + "&new=yes" }

// WhatIf compares the episode as it is now with the episode after a plan with other settings.
type WhatIf struct {
	Settings string // in words
	Same     bool   // they are the settings in force
	Balance  Balance
	// Shares of the frames, by dataset, in the order of Balance.Datasets.
	Changing int // frames that would move to another dataset
	// LeakingBefore and Leaking count the frames with a training frame beside them. FramesBefore
	// and Frames count all frames outside the training dataset.
	LeakingBefore, FramesBefore, Leaking, Frames int
	Missing                                      []string
	Rare                                         []state.RareClass
	Grouped                                      bool
	Command                                      string // the dry run with these settings
}

// ShareBefore is the leakage of the datasets as they are now.
func (w WhatIf) ShareBefore() float64 { return share(w.LeakingBefore, w.FramesBefore) }

// Share is the leakage under the settings.
func (w WhatIf) Share() float64 { return share(w.Leaking, w.Frames) }

// NewBalance counts frames by class and dataset.
func NewBalance(all []state.Balance, s state.Settings) Balance { return newBalance(all, s) }

func (p *Episode) template() string { return "episode" }

// Title is that of the document.
func (p *Episode) Title() string { return string(p.Episode) }

// Path is the page's address.
func (p *Episode) Path() string { return EpisodePath(p.Episode) }

// Events is the address of the page's events while something of it is being read.
func (p *Episode) Events() string {
	r := p.Reading
	r.Pending = r.Pending || p.Drawing
	return eventsPath(r, p.Path()+"/events", p.Query)
}
