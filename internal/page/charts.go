package page

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Charts are drawn in these units, which the page stretches to its width. Text is outside the
// drawing, so that it is not stretched.
const (
	barWidth    = 1000
	chartWidth  = 1000
	chartHeight = 100
)

// Bar is a progress bar: done tasks from the left, and beside them the dead and superseded ones.
type Bar struct{ Done, Bad, Width int }

func newBar(all, done, bad int) Bar {
	b := Bar{Width: barWidth}
	if all > 0 {
		b.Done = done * barWidth / all
		b.Bad = (done+bad)*barWidth/all - b.Done
		if bad > 0 {
			b.Bad = max(b.Bad, barWidth/100) // even one of 345,600 is visible
			b.Done = min(b.Done, barWidth-b.Bad)
		}
	}
	return b
}

// Throughput is tasks a second over the time of the ledger's samples.
type Throughput struct {
	Line, Area    string // paths
	Highest, Last float64
	Seconds       float64  // from the first sample to the last
	Rates, Times  []string // labels of the axes
	Grid          string   // path of the lines at Up
	Width, Height int
}

// newThroughput draws the rate between two samples as a step. After a redrive fewer tasks are
// accounted for than before: that step is drawn with rate 0.
func newThroughput(samples []state.Sample) Throughput {
	t := Throughput{Width: chartWidth, Height: chartHeight}
	if len(samples) < 2 {
		return t
	}
	first, before := samples[0].Second, samples[0]
	steps := make([]step, 0, len(samples))
	for _, s := range samples[1:] {
		rate := max(float64(s.Accounted-before.Accounted)/float64(max(s.Second-before.Second, 1)), 0)
		steps = append(steps, step{float64(before.Second - first), float64(s.Second - first), rate})
		t.Highest, t.Last, t.Seconds, before = max(t.Highest, rate), rate, float64(s.Second-first), s
	}
	if t.Highest == 0 {
		return Throughput{Width: chartWidth, Height: chartHeight}
	}
	var line strings.Builder
	for i, s := range steps {
		y := chartHeight - s.rate/t.Highest*(chartHeight-4)
		fmt.Fprintf(&line, "%c%.1f %.1fH%.1f", "ML"[min(i, 1)], s.from/t.Seconds*chartWidth, y, s.to/t.Seconds*chartWidth)
	}
	t.Line = line.String()
	t.axes(first)
	t.Area = fmt.Sprintf("M0 %d%sV%dZ", chartHeight, strings.Replace(t.Line, "M", "L", 1), chartHeight)
	return t
}

// axes adds three rates and three times.
func (t *Throughput) axes(first int64) {
	for _, part := range []float64{1, 0.5, 0} {
		t.Rates = append(t.Rates, figure.Number(int(math.Round(t.Highest*part))))
		y := chartHeight - part*(chartHeight-4)
		t.Grid += fmt.Sprintf("M0 %.1fH%d", y, chartWidth)
		at := time.Unix(first, 0).Add(time.Duration(t.Seconds * (1 - part) * float64(time.Second)))
		t.Times = append(t.Times, at.UTC().Format("15:04:05"))
	}
	t.Times[2] += " UTC"
}

// step is a rate from one second of the chart to another.
type step struct{ from, to, rate float64 }

// Balance is the frames by class and dataset, a row a class. The bars of a dataset are shares of
// it, so that the datasets can be compared whatever their sizes.
type Balance struct {
	Datasets []string
	Rows     []BalanceRow
	// Compares is true when the run changes frames that were in the datasets before it.
	Compares bool
}

// BalanceRow is one class, or the sum of all.
type BalanceRow struct {
	Class string
	Sum   bool
	Cells []BalanceCell // by dataset, the last of all
}

// BalanceCell is a class in a dataset.
type BalanceCell struct {
	state.Change
	Share          float64 // of the dataset after the run, or of all frames in the sum's row
	Old, New       int     // lengths of the bars
	Path           string  // of the contact sheet; "" for sums
	Added, Removed int     // of After against Before
	Missing        bool    // the class has frames, but none in this dataset
}

func newBalance(all []state.Balance, s state.Settings) Balance {
	m := state.NewMatrix(all, s)
	b := Balance{Datasets: m.Datasets, Compares: m.Changes() && m.Total().Before > 0}
	if m.Total() == (state.Change{}) {
		return b
	}
	longest := 0.0 // the largest share that a class has of a dataset: the full length of a bar
	for d := range m.Counts {
		for c := range m.Classes {
			n, sum := m.Counts[d][c], m.Counts[d][len(m.Classes)]
			longest = max(longest, share(n.Before, sum.Before), share(n.After, sum.After))
		}
	}
	for c := range len(m.Classes) + 1 {
		row := BalanceRow{Sum: c == len(m.Classes)}
		if !row.Sum {
			row.Class = m.Classes[c]
		}
		for d := range m.Counts {
			row.Cells = append(row.Cells, balanceCell(m, d, c, longest))
		}
		b.Rows = append(b.Rows, row)
	}
	return b
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

func balanceCell(m state.Matrix, d, c int, longest float64) BalanceCell {
	n := m.Counts[d][c]
	cell := BalanceCell{Change: n, Added: max(n.After-n.Before, 0), Removed: max(n.Before-n.After, 0)}
	if c == len(m.Classes) {
		cell.Share = share(n.After, m.Total().After)
		return cell
	}
	sum := m.Counts[d][len(m.Classes)]
	cell.Share = share(n.After, sum.After)
	cell.Old, cell.New = int(share(n.Before, sum.Before)/longest*barWidth), int(cell.Share/longest*barWidth)
	if d < len(m.Datasets) {
		cell.Path = ContactPath(m.Datasets[d], m.Classes[c])
		cell.Missing = n.After == 0 && m.Counts[len(m.Datasets)][c].After > 0
	}
	return cell
}
