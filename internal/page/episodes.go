package page

import (
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// EpisodeRow is an episode in a run's table.
type EpisodeRow struct {
	state.EpisodePlan
	Progress state.EpisodeProgress
	Cells    []int // by the table's columns
}

// Accounted is the number of the episode's tasks whose end is known.
func (e EpisodeRow) Accounted() int { return e.Progress.Done + e.Progress.Dead + e.Progress.Superseded }

// Bar is the episode's progress.
func (e EpisodeRow) Bar() Bar {
	return newBar(e.Progress.Tasks, e.Progress.Done, e.Progress.Dead+e.Progress.Superseded)
}

// AllProblems is the number of problems of the sheet.
func (e EpisodeRow) AllProblems() int { return len(e.Problems) + e.MoreProblems }

// NewProblems is the number of problems of the sheet that the run before did not have.
func (e EpisodeRow) NewProblems() int { return newProblems(e.EpisodePlan) }

// EpisodeTable lists the episodes of a run, the held ones separately. Columns with only zeros are
// left out.
type EpisodeTable struct {
	Held    []EpisodeRow
	Columns []string
	Rows    []EpisodeRow
	Total   []int
}

// Episodes is the table.
func (r *Run) Episodes() EpisodeTable {
	t := EpisodeTable{}
	for _, e := range r.Plan.Episodes {
		row := EpisodeRow{EpisodePlan: e, Progress: r.ByEpisode[e.Name()]}
		if e.State == state.EpisodeHeld {
			t.Held = append(t.Held, row)
		} else {
			t.Rows = append(t.Rows, row)
		}
	}
	for _, c := range []struct {
		name string
		of   func(state.Totals) int
	}{
		{"Keep", func(t state.Totals) int { return t.Keep }}, {"Copy", func(t state.Totals) int { return t.Copy }},
		{"Move", func(t state.Totals) int { return t.Move }}, {"Refresh", func(t state.Totals) int { return t.Refresh }},
		{"Delete", func(t state.Totals) int { return t.Delete }}, {"Frozen", func(t state.Totals) int { return t.Frozen }},
	} {
		total := c.of(r.Plan.Totals)
		if total == 0 {
			continue
		}
		t.Columns, t.Total = append(t.Columns, c.name), append(t.Total, total)
		for i := range t.Rows {
			t.Rows[i].Cells = append(t.Rows[i].Cells, c.of(t.Rows[i].Totals))
		}
	}
	return t
}

// SheetProblems are the problems in the sheet of one episode.
type SheetProblems struct {
	Episode  dataset.Episode
	Sheet    string // URL
	Problems []state.Problem
	All      int
}

// Problems lists the first problems of each sheet, for a report.
func (v view) Problems(r *Run) []SheetProblems {
	most := fileProblems
	var all []SheetProblems
	for _, e := range r.Plan.Episodes {
		if n := len(e.Problems) + e.MoreProblems; n > 0 {
			all = append(all, SheetProblems{
				Episode: e.Name(), Sheet: e.Sheet, Problems: e.Problems[:min(len(e.Problems), most)], All: n,
			})
		}
	}
	return all
}
