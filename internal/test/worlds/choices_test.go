package worlds

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// decision is the kind of a choice.
type decision uint8

const (
	byOrder decision = iota // which call is next
	byRead                  // what happens to a read of what does not change
	byFate                  // what happens to any other call; of these an exhaustive search tries all
)

// choices makes all choices of one schedule and keeps them. The choice 0 is always the usual course
// of things, so a schedule is described by the others: its deviations.
type choices struct {
	source func(n int, d decision) int
	// visit is asked before each step whether to go on, by a search of every order; usually nil.
	visit  func(w *world) bool
	plot   []turn // still to come; they go before the source
	taken  []choice
	faults map[fate]int
}

// turn is a deviation described by its call, so that it stays the same when the steps before it
// change.
type turn struct {
	call string // how the line of the call in the story begins, from its process on
	fate fate
}

type choice struct {
	of, chosen int
	decision   decision
}

func (c *choices) choose(n int, d decision) int {
	i := c.source(n, d)
	if i >= n {
		i = 0 // of a schedule that was shortened
	}
	c.taken = append(c.taken, choice{n, i, d})
	return i
}

// befall chooses what happens to a call.
func (c *choices) befall(asked *call, options []fate) int {
	if len(c.plot) > 0 && strings.HasPrefix(asked.proc.name+" "+asked.describe(), c.plot[0].call) {
		if i := slices.Index(options, c.plot[0].fate); i >= 0 {
			c.plot = c.plot[1:]
			c.taken = append(c.taken, choice{len(options), i, about(asked)})
			return i
		}
	}
	return c.choose(len(options), about(asked))
}

// deviation is the choice of something unusual.
type deviation struct{ at, chosen int }

// deviations describe a schedule by its unusual choices: "12=3 40=1".
type deviations []deviation

func (c *choices) deviations() (all deviations) {
	for at, ch := range c.taken {
		if ch.chosen != 0 {
			all = append(all, deviation{at, ch.chosen})
		}
	}
	return all
}

func (ds deviations) String() string {
	parts := make([]string, len(ds))
	for i, d := range ds {
		parts[i] = fmt.Sprintf("%d=%d", d.at, d.chosen)
	}
	return strings.Join(parts, " ")
}

func parseDeviations(s string) (all deviations, err error) {
	for part := range strings.FieldsSeq(s) {
		at, chosen, _ := strings.Cut(part, "=")
		var d deviation
		if d.at, err = strconv.Atoi(at); err == nil {
			d.chosen, err = strconv.Atoi(chosen)
		}
		if err != nil {
			return nil, fmt.Errorf("choices %q: want them as in \"12=3 40=1\"", s)
		}
		all = append(all, d)
	}
	return all, nil
}

// scripted makes the usual choices except for the deviations.
func scripted(ds deviations) *choices {
	at := 0
	return &choices{faults: map[fate]int{}, source: func(int, decision) int {
		i := slices.IndexFunc(ds, func(d deviation) bool { return d.at == at })
		at++
		if i < 0 {
			return 0
		}
		return ds[i].chosen
	}}
}

// walk makes choices by chance. Some walks are wild, some have few faults and much disorder, and
// some the other way round.
func walk(seed uint64) *choices {
	r := rand.New(rand.NewPCG(seed, 0))
	disorder := []float64{0, 0.1, 0.5, 1}[r.IntN(4)]
	mischief := []float64{0.005, 0.02, 0.05, 0.15}[r.IntN(4)]
	left := 3 + r.IntN(30) // deviations from what usually happens to a call
	return &choices{faults: map[fate]int{}, source: func(n int, d decision) int {
		switch {
		case d == byOrder && r.Float64() < disorder:
			return r.IntN(n)
		case d != byOrder && left > 0 && r.Float64() < mischief:
			left--
			return r.IntN(n)
		}
		return 0
	}}
}
