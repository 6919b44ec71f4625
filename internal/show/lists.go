package show

import (
	"cmp"
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
			p.printLine(plain("There is no run yet."))
			p.printNext(step("plan", "begin the first"))
			return
		}
		// Newest first by generation, like dataset versions: the time in a run's name is from its
		// planner's clock, which may be wrong.
		all = slices.Clone(all)
		slices.SortStableFunc(all, func(a, b state.Status) int { return state.CompareRuns(b.Run, a.Run) })
		columns := []column{{"Run", false}, {"state", false}, {"tasks", true}, {"done", true}, {"dead", true},
			{"differ", true}, {"held", true}, {"took", true}}
		rows := [][]span{}
		for _, st := range all {
			sign, took := signOf(st), ""
			if st.Finished != nil {
				took = clock(st.Finished.Sub(st.Started).Seconds())
			}
			rows = append(rows, []span{
				plain(st.Run), {sign.text + " " + string(st.State), sign.color}, cell(st.Tasks, ""), cell(st.Done, ""),
				problemCell(st.Dead), problemCell(st.Differences), problemCell(len(st.Held)), plain(took),
			})
		}
		p.printTable(columns, rows)
		p.printNext(advice.ForRuns(all)...)
	})
}

var kindNames = map[string]string{state.Content: "with other content", state.Changed: "changed as a whole"}

// Differences prints the result of verify. against names what the datasets were compared with, and
// diffs are the first differences. Stray keys do not count as differences.
func Differences(w io.Writer, s Style, against string, frames, episodes, all int, diffs []state.Difference, strays *dataset.StrayCount) error {
	return write(w, s, func(p *page) {
		if strays != nil {
			p.printStrays(strays)
			p.printGap()
		}
		compared := "(" + count(frames, "frame") + " of " + count(episodes, "episode") + ")"
		if all == 0 {
			p.printItem(prefix{{"✓ ", green}}, plain("no difference: the datasets equal "+against), plain(compared))
			return
		}
		kinds := map[string]int{}
		for _, d := range diffs {
			kinds[cmp.Or(kindNames[d.Kind], d.Kind)]++
			p.printParagraph(label("  "), 4, plain(d.String()))
		}
		summary := []span{{count(all, "difference") + " between the datasets and " + against + ":", red}, plain(tally(kinds))}
		if more := all - len(diffs); more > 0 {
			p.printParagraph(label("  "), 4, plain("and "+number(more)+" more"))
			summary[1] = plain("the first " + number(len(diffs)) + " are " + tally(kinds))
		}
		p.printGap()
		p.printItem(prefix{{"✗ ", red}}, append(summary, plain(compared))...)
		p.printNext(step("plan", "plan the tasks that fix them"))
	})
}
