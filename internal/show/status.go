package show

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Status prints where a run stands, and last what to type.
func Status(w io.Writer, s Style, st state.Status) error {
	return write(w, s, func(p *page) {
		p.verdict(st)
		p.progress(st)
		p.held(heldIn(st), 0)
		p.next(statusSteps(st)...)
	})
}

// Line is a status on one line, for where nothing can be drawn over.
func Line(st state.Status) string {
	if !st.State.Active() || st.State == state.Planning {
		return Clean(fmt.Sprintf("run %s %s", st.Run, st.State))
	}
	parts := []string{fmt.Sprintf("run %s %s: %s of %s", st.Run, st.State, number(accounted(st)), count(st.Tasks, "task"))}
	if st.Dead > 0 {
		parts = append(parts, number(st.Dead)+" dead")
	}
	if st.Rate > 0 {
		parts = append(parts, rate(st.Rate))
	}
	if st.ETASeconds != nil && *st.ETASeconds > 0 {
		parts = append(parts, duration(*st.ETASeconds)+" left")
	}
	return Clean(strings.Join(parts, ", "))
}

// signOf gives each state a sign of its own kind: ended well, ended badly, not ended, needs somebody.
func signOf(st state.Status) span {
	switch {
	case st.State == state.Succeeded && len(st.Held) == 0:
		return span{"✓", green}
	case st.State == state.Failed:
		return span{"✗", red}
	case st.State.Active():
		return plain("…")
	}
	return span{"!", red}
}

func (p *page) verdict(st state.Status) {
	sign := signOf(st)
	p.para(span{sign.text + " ", sign.color}, 2, span{string(st.State), sign.color},
		plain(fmt.Sprintf("run %s, generation %d", st.Run, st.Generation)))
	text := st.Reason
	if text == "" {
		text = meaning(st)
	}
	p.para(plain("  "), 2, plain(text))
}

// meaning explains a state that has no reason of its own.
func meaning(st state.Status) string {
	switch st.State {
	case state.Planning:
		return "the planner reads sheets and listings"
	case state.Publishing:
		return "the planner sends the tasks to the queue"
	case state.Running:
		return "workers apply the tasks"
	case state.Verifying:
		return "the tracker lists the datasets and compares them with the plan"
	case state.Succeeded:
		return "the datasets equal the plan"
	case state.Review:
		return "the plan waits for somebody to apply it"
	case state.Superseded:
		return "a newer run took over"
	}
	return ""
}

func accounted(st state.Status) int { return st.Done + st.Dead + st.Outcomes[messages.Superseded] }

func (p *page) progress(st state.Status) {
	p.gap()
	if st.State != state.Planning {
		p.tasks(st)
	}
	if st.State.Active() && st.Tasks > 0 {
		p.item(plain("  Rate      "), plain(pace(st)))
	} else if st.Rate > 0 {
		p.item(plain("  Rate      "), plain(rate(st.Rate)))
	}
	if st.Differences > 0 {
		p.item(plain("  Differ    "), span{count(st.Differences, "difference") + " between the datasets and the plan", red})
	}
	p.item(plain("  Started   "), plain(moment(st.Started)))
	if st.Finished != nil {
		p.item(plain("  Finished  "), plain(moment(*st.Finished)+", after "+duration(st.Finished.Sub(st.Started).Seconds())))
	}
}

func (p *page) tasks(st state.Status) {
	dead := plain("0 dead")
	if st.Dead > 0 {
		dead = span{number(st.Dead) + " dead", red}
	}
	p.item(plain("  Tasks     "), plain(count(st.Tasks, "task")+": "+number(st.Done)+" done,"), dead,
		plain(", "+number(max(st.Tasks-accounted(st), 0))+" open"))
	if st.Tasks == 0 {
		return
	}
	p.line(plain("            "+bar(st, p.width()-12-8)+" "+percent(float64(accounted(st))/float64(st.Tasks))))
	var outcomes []string
	for _, o := range messages.Outcomes {
		if n := st.Outcomes[o]; n > 0 {
			outcomes = append(outcomes, number(n)+" "+string(o))
		}
	}
	if len(outcomes) > 0 {
		p.item(plain("  Outcomes  "), plain(strings.Join(outcomes, ", ")))
	}
}

func pace(st state.Status) string {
	switch {
	case st.ETASeconds == nil || st.Rate == 0:
		return "unknown yet"
	case *st.ETASeconds == 0:
		return rate(st.Rate)
	}
	return rate(st.Rate) + ", about " + duration(*st.ETASeconds) + " left"
}

// bar draws done tasks as #, those that ended otherwise as x and open ones as dots. One dead task shows.
func bar(st state.Status, w int) string {
	share := func(n int) int { return int(float64(n) / float64(st.Tasks) * float64(w)) }
	bad := accounted(st) - st.Done
	x := share(bad)
	if bad > 0 {
		x = max(x, 1)
	}
	done := max(min(share(st.Done), w-x), 0)
	if accounted(st) >= st.Tasks {
		done = max(w-x, 0)
	}
	return "[" + strings.Repeat("#", done) + strings.Repeat("x", x) + strings.Repeat(".", int(math.Max(float64(w-done-x), 0))) + "]"
}

func heldIn(st state.Status) []heldEpisode {
	var all []heldEpisode
	for _, e := range st.Held {
		all = append(all, heldEpisode{HeldEpisode: e})
	}
	return all
}
