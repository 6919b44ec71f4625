package show

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// Runs prints a table of runs, newest first.
func Runs(w io.Writer, s Style, all []state.Status) error {
	return write(w, s, func(p *page) {
		if len(all) == 0 {
			p.line(plain("There is no run yet."))
			p.next(step{"plan", "begins the first"})
			return
		}
		columns := []column{{"Run", false}, {"State", false}, {"tasks", true}, {"done", true}, {"dead", true}, {"differ", true}, {"held", true}, {"took", true}}
		rows := [][]span{}
		for _, st := range newestFirst(all) {
			rows = append(rows, runRow(st))
		}
		p.table(columns, rows)
		p.next(step{"status RUN", "says more of one"})
	})
}

// newestFirst sorts by name: a run is named after its start.
func newestFirst(all []state.Status) []state.Status {
	return slices.SortedStableFunc(slices.Values(all), func(a, b state.Status) int { return cmp.Compare(b.Run, a.Run) })
}

func runRow(st state.Status) []span {
	sign, took := signOf(st), ""
	if st.Finished != nil {
		took = duration(st.Finished.Sub(st.Started).Seconds())
	}
	return []span{plain(st.Run), {sign.text + " " + string(st.State), sign.color}, plain(number(st.Tasks)), plain(number(st.Done)),
		problemCell(st.Dead), problemCell(st.Differences), problemCell(len(st.Held)), plain(took)}
}

// Dead prints the dead tasks of a run with their reasons, and last how to publish them again.
func Dead(w io.Writer, s Style, run string, dead []state.DeadTask) error {
	return write(w, s, func(p *page) {
		if len(dead) == 0 {
			p.item(span{"✓ ", green}, plain("run "+run+" has no dead task"))
			return
		}
		codes := map[string]int{}
		for _, d := range dead {
			codes[d.Code]++
			p.dead(d)
		}
		p.gap()
		p.item(span{"✗ ", red}, span{isAre(len(dead), "task") + " dead in run " + run + ": " + tally(codes), red})
		p.next(step{"redrive " + run, "publishes them again, when the cause is mended"},
			step{"redrive " + run + " --seq " + strconv.Itoa(int(dead[0].Task.Seq)), "only that one"})
	})
}

func (p *page) dead(d state.DeadTask) {
	attempts := "attempts unknown"
	if d.Attempts > 0 {
		attempts = count(d.Attempts, "attempt")
	}
	code := d.Code
	if code == "" {
		code = "no code"
	}
	p.para(plain(fmt.Sprintf("%6d  ", d.Task.Seq)), 8, plain(string(d.Task.Frame)), plain(string(d.Task.Op)), span{code, red}, span{attempts, dim})
	p.para(plain("        "), 8, plain(d.Reason))
}

// Differences prints what verify found: against is what the datasets were compared with.
func Differences(w io.Writer, s Style, against string, frames, episodes int, diffs []state.Difference) error {
	return write(w, s, func(p *page) {
		compared := fmt.Sprintf("%s of %s", count(frames, "frame"), count(episodes, "episode"))
		if len(diffs) == 0 {
			p.item(span{"✓ ", green}, plain("no difference: the datasets equal "+against+" ("+compared+")"))
			return
		}
		kinds := map[string]int{}
		for _, d := range diffs {
			kinds[d.Kind]++
			p.para(plain("  "), 4, plain(d.String()))
		}
		p.gap()
		p.item(span{"✗ ", red}, span{count(len(diffs), "difference") + " between the datasets and " + against + ": " + tally(kinds), red}, plain("("+compared+")"))
		p.next(step{"plan", "plans what mends them"})
	})
}
