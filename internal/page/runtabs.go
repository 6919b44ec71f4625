package page

import (
	"cmp"
	"net/url"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Tab is a link to one of the pages about a run.
type Tab struct {
	Name, Path string
	Count      string // number of items on it; "" where nothing is counted
	Current    bool
}

// tabs are the pages about the run; current is the template of the one that is open.
func (r *Run) tabs(current string) []Tab {
	all := []Tab{{Name: "Overview", Path: r.Path(), Current: current == "run"}}
	add := func(name, template, folder string, n int) {
		t := Tab{Name: name, Path: r.Path() + "/" + folder, Current: current == template}
		if n > 0 {
			t.Count = figure.Number(n)
		}
		all = append(all, t)
	}
	if r.Planned() {
		add("Changes", "changes", "changes", r.Status.Tasks)
		add("Episodes", "episodes", "episodes", len(r.Plan.Episodes))
		add("Problems", "problems", "problems", r.AllProblems())
	}
	if len(r.Dead) > 0 || current == "deads" {
		add("Dead", "deads", "dead", len(r.Dead))
	}
	return all
}

// Tabs are the pages about the run.
func (r *Run) Tabs() []Tab { return r.tabs(r.template()) }

// EpisodesTab is the page of a run's episodes.
type EpisodesTab struct{ *Run }

func (p EpisodesTab) template() string { return "episodes" }

// Tabs are the pages about the run.
func (p EpisodesTab) Tabs() []Tab { return p.tabs(p.template()) }

// Events is the address of the page's events, empty when the run does not change any more.
func (p EpisodesTab) Events() string {
	if !p.InForce {
		return ""
	}
	return p.Path() + "/episodes/events"
}

// ChangesTab is the page of what a run changes, frame by frame.
type ChangesTab struct {
	*Run
	Heading string
	Fields  []Field
	Tiles   []Tile
	Pages   Pager
}

func (p *ChangesTab) template() string { return "changes" }

// Tabs are the pages about the run.
func (p *ChangesTab) Tabs() []Tab { return p.tabs(p.template()) }

// Events is empty: what is listed does not change.
func (p *ChangesTab) Events() string { return "" }

// Address is the address of the form with Fields.
func (p *ChangesTab) Address() string { return p.Path() + "/changes" }

// ProblemsTab is the page of the problems that a plan found in the sheets.
type ProblemsTab struct {
	*Run
	Heading string
	Chosen  bool   // a filter is active: not all problems are listed
	Reason  string // why the one episode that is listed is held
	Fields  []Field
	Shown   []SheetProblem
	Pages   Pager
}

func (p *ProblemsTab) template() string { return "problems" }

// Tabs are the pages about the run.
func (p *ProblemsTab) Tabs() []Tab { return p.tabs(p.template()) }

// Events is empty: a plan does not change.
func (p *ProblemsTab) Events() string { return "" }

// Address is the address of the form with Fields.
func (p *ProblemsTab) Address() string { return p.Path() + "/problems" }

// SheetProblem is a problem with the sheet that has it.
type SheetProblem struct {
	Episode dataset.Episode
	Sheet   string // URL
	state.Problem
}

// FramePath is the address of the problem's frame, "" when it names none.
func (p SheetProblem) FramePath() string {
	f, err := dataset.ParseFrame(p.Frame)
	if err != nil {
		return ""
	}
	return FramePath(f)
}

// DeadTab lists all dead tasks of a run.
type DeadTab struct {
	*Run
	Shown []state.DeadTask
	Pages Pager
}

func (p *DeadTab) template() string { return "deads" }

// Tabs are the pages about the run.
func (p *DeadTab) Tabs() []Tab { return p.tabs(p.template()) }

// Events is empty: an update would move the lines while somebody reads them.
func (p *DeadTab) Events() string { return "" }

// report is a run as one file.
type report struct{ *Run }

func (p report) template() string { return "report" }

// changesPath is the address of the run's changes, filtered by one value.
func (r *Run) changesPath(name, value string) string {
	return r.Path() + "/changes?" + url.Values{name: {value}}.Encode()
}

// Cause is a reason why a run changes frames, or would change them in held episodes.
type Cause struct {
	Cause       string
	Path        string // of the frames; "" where there are none, or no cause is recorded
	Count, Held int
	Episodes    []EpisodeCount // of Count
}

// Where lists the episodes that have the changes.
func (c Cause) Where() string { return ProblemKind{Episodes: c.Episodes}.Where() }

// Causes are the causes of the run's changes, those of deletions first. There are none for a run
// that an earlier release planned.
func (r *Run) Causes() (all []Cause) {
	for _, cause := range state.ChangeCauses {
		c := Cause{Cause: cmp.Or(string(cause), "not recorded")}
		for _, n := range r.Plan.Changes {
			switch {
			case n.Cause != cause:
			case n.Held:
				c.Held += n.Count
			default:
				c.Count += n.Count
				c.Episodes = append(c.Episodes, EpisodeCount{Episode: n.Episode, Count: n.Count})
			}
		}
		if c.Count > 0 && cause != state.ChangeUnrecorded {
			c.Path = r.changesPath("cause", string(cause))
		}
		if c.Count+c.Held > 0 {
			all = append(all, c)
		}
	}
	return all
}
