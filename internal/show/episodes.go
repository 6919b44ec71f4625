package show

import "github.com/angel-nft/google-shuffle/internal/state"

// printEpisodes prints the changes of each episode. Those of a held episode are not known.
func (p *page) printEpisodes(all []state.EpisodePlan, totals state.Totals) {
	p.printGap()
	columns := []column{{"Episode", false}, {"keep", true}, {"copy", true}, {"move", true}, {"refresh", true},
		{"delete", true}, {"frozen", true}, {"state", false}, {"problems", true}}
	rows, problems := [][]span{}, 0
	for _, e := range all {
		problems += e.ProblemCount()
		name, cells, s := plain(shorten(string(e.Name()))), changeCells(e.Totals), plain(e.State)
		if isHeld(e) {
			for i := range cells {
				cells[i] = span{"-", dim}
			}
			s.color = red
		}
		rows = append(rows, append(append([]span{name}, cells...), s, problemCell(e.ProblemCount())))
	}
	sum := append([]span{{"Total", bold}}, changeCells(totals)...)
	p.printTable(columns, append(rows, append(sum, plain(""), problemCell(problems))))
}

func isHeld(e state.EpisodePlan) bool { return e.State == state.EpisodeHeld }

func changeCells(t state.Totals) []span {
	cells := []span{}
	for _, n := range []int{t.Keep, t.Copy, t.Move, t.Refresh, t.Delete, t.Frozen} {
		cells = append(cells, cell(n, ""))
	}
	return cells
}

// cell is a number in a table. Zeros are dim, so that other numbers stand out.
func cell(n int, c color) span {
	if n == 0 {
		c = dim
	}
	return span{number(n), c}
}

func problemCell(n int) span { return cell(n, red) }
