package show

import (
	"io"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Runs prints a table of runs, newest first.
func Runs(w io.Writer, s Style, all []state.Status) error {
	return write(w, s, func(p *page) {
		if len(all) == 0 {
			p.line(plain("There is no run yet."))
			p.next(step("plan", "begin the first"))
			return
		}
		all = newestFirst(all)
		columns := []column{{"Run", false}, {"state", false}, {"tasks", true}, {"done", true}, {"dead", true},
			{"differ", true}, {"held", true}, {"took", true}}
		rows := [][]span{}
		for _, st := range all {
			rows = append(rows, runRow(st))
		}
		p.table(columns, rows)
		p.next(advice.ForRuns(all)...)
	})
}

// newestFirst sorts by generation, as dataset versions are sorted. The time in a run's name is of
// its planner's own clock.
func newestFirst(all []state.Status) []state.Status {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b state.Status) int { return state.CompareRuns(b.Run, a.Run) })
	return all
}

func runRow(st state.Status) []span {
	sign, took := signOf(st), ""
	if st.Finished != nil {
		took = clock(st.Finished.Sub(st.Started).Seconds())
	}
	return []span{plain(st.Run), {sign.text + " " + string(st.State), sign.color}, cell(st.Tasks, ""), cell(st.Done, ""),
		problemCell(st.Dead), problemCell(st.Differences), problemCell(len(st.Held)), plain(took)}
}

// Differences prints what verify found: against is what the datasets were compared with, and diffs
// are the first of all differences. Strays are no differences.
func Differences(w io.Writer, s Style, against string, frames, episodes, all int, diffs []state.Difference, strays *dataset.StrayCount) error {
	return write(w, s, func(p *page) {
		if strays != nil {
			p.strays(strays)
			p.gap()
		}
		compared := "(" + count(frames, "frame") + " of " + count(episodes, "episode") + ")"
		if all == 0 {
			p.item(lead{{"✓ ", green}}, plain("no difference: the datasets equal "+against), plain(compared))
			return
		}
		kinds := map[string]int{}
		for _, d := range diffs {
			kinds[kindName(d.Kind)]++
			p.para(at("  "), 4, plain(d.String()))
		}
		said := []span{{count(all, "difference") + " between the datasets and " + against + ":", red}, plain(tally(kinds))}
		if more := all - len(diffs); more > 0 {
			p.para(at("  "), 4, plain("and "+number(more)+" more"))
			said[1] = plain("the first " + number(len(diffs)) + " are " + tally(kinds))
		}
		p.gap()
		p.item(lead{{"✗ ", red}}, append(said, plain(compared))...)
		p.next(step("plan", "plan what mends them"))
	})
}

func kindName(kind string) string {
	switch kind {
	case state.Content:
		return "with other content"
	case state.Changed:
		return "changed as a whole"
	}
	return kind
}
