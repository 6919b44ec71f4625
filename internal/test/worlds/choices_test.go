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
	byRead                  // the fate of a read of immutable data
	byFate                  // the fate of any other call; an exhaustive search tries all of them
)

// choices makes all choices of one schedule and records them. The choice 0 is always the usual one,
// so the other choices, its deviations, describe a schedule.
type choices struct {
	source func(n int, d decision) int
	// visit reports, before each step, whether to continue. A search of every order sets it; else
	// it is nil.
	visit  func(w *world) bool
	plot   []turn // still to come; used before the source
	taken  []choice
	faults map[fate]int
}

// turn is a deviation that is identified by its call, so it stays valid when the steps before it
// change.
type turn struct {
	call string // the beginning of the call's line in the story, from its process on
	fate fate
}

type choice struct {
	of, chosen int
	decision   decision
}

func (c *choices) choose(n int, d decision) int {
	i := c.source(n, d)
	if i >= n {
		i = 0 // the schedule was shortened, and the option no longer exists
	}
	c.taken = append(c.taken, choice{n, i, d})
	return i
}

// befall chooses the fate of a call.
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

// deviations is a schedule, described by its unusual choices: "12=3 40=1".
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

// walk makes random choices. Some walks have many faults, some have few faults and an unusual order
// of calls, and some the opposite.
func walk(seed uint64) *choices {
	r := rand.New(rand.NewPCG(seed, 0))
	disorder := []float64{0, 0.1, 0.5, 1}[r.IntN(4)]
	mischief := []float64{0.005, 0.02, 0.05, 0.15}[r.IntN(4)]
	left := 3 + r.IntN(30) // deviations from the usual fate of a call
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
