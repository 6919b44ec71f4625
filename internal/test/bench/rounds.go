package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// rounds are the repeated measurements of one program.
type rounds []measured

// spread summarises several measurements of a figure: the median, which is the result, and the
// minimum and maximum, which show the noise.
type spread struct{ median, least, most float64 }

func spreadOf(all ...float64) spread {
	slices.Sort(all)
	n := len(all)
	if n == 0 {
		return spread{}
	}
	return spread{(all[(n-1)/2] + all[n/2]) / 2, all[0], all[n-1]}
}

// in formats the figure with a number of decimals: "16.3 s (15.9–17.0)".
func (s spread) in(unit string, decimals int) string {
	text := fmt.Sprintf("%.*f%s", decimals, s.median, unit)
	least, most := fmt.Sprintf("%.*f", decimals, s.least), fmt.Sprintf("%.*f", decimals, s.most)
	if least == most {
		return text
	}
	return text + " (" + least + "–" + most + ")"
}

func (r rounds) of(figure func(measured) float64) spread {
	all := make([]float64, len(r))
	for i, m := range r {
		all[i] = figure(m)
	}
	return spreadOf(all...)
}

func (r rounds) seconds(of func(measured) time.Duration) string {
	return r.of(func(m measured) float64 { return of(m).Seconds() }).in(" s", 1)
}

func (r rounds) wall() string { return r.seconds(func(m measured) time.Duration { return m.wall }) }

// perTask formats a duration for each task, in microseconds.
func (r rounds) perTask(tasks int, of func(measured) time.Duration) string {
	return r.of(func(m measured) float64 { return float64(of(m).Microseconds()) / float64(max(tasks, 1)) }).in(" µs", 0)
}

func (r rounds) cpuPerTask(tasks int) string {
	return r.perTask(tasks, func(m measured) time.Duration { return m.cpu })
}

func (r rounds) memory() string {
	return r.of(func(m measured) float64 { return float64(m.memory >> 20) }).in(" MB", 0)
}

func (r rounds) connections() string {
	return r.of(func(m measured) float64 { return float64(m.server.Connections) }).in("", 0)
}

// typical is the round with the median wall time.
func (r rounds) typical() measured {
	byWall := slices.SortedFunc(slices.Values(r), func(a, b measured) int { return cmp.Compare(a.wall, b.wall) })
	return byWall[(len(byWall)-1)/2]
}
