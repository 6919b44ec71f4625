package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Status prints the state and progress of a run, and the next commands last.
func Status(w io.Writer, s Style, st state.Status) error {
	return write(w, s, func(p *page) {
		p.printVerdict(st)
		p.printGap()
		p.printProgress(st)
		if st.Differences > 0 {
			p.printItem(label("  Differ    "), span{count(st.Differences, "difference") + " between the datasets and the plan", red})
		}
		var held []heldEpisode
		for _, e := range st.Held {
			held = append(held, heldEpisode{HeldEpisode: e})
		}
		p.printHeld(held, 0)
		p.printNext(advice.ForStatus(st)...)
	})
}

// Line is a status on one line, for output that is no terminal.
func Line(st state.Status) string {
	head := fmt.Sprintf("run %s %s", st.Run, st.State)
	if st.Note != "" {
		head += ", " + st.Note
	}
	if st.Tasks == 0 {
		return Clean(head)
	}
	parts := []string{fmt.Sprintf("%s: %s of %s", head, number(advice.Accounted(st)), count(st.Tasks, "task"))}
	if st.Dead > 0 {
		parts = append(parts, number(st.Dead)+" dead")
	}
	switch {
	case !st.State.Acting():
	case st.Rate > 0:
		parts = append(parts, paceText(st))
	default:
		parts = append(parts, LastResult(st)...)
	}
	return Clean(strings.Join(parts, ", "))
}

func (p *page) printVerdict(st state.Status) {
	sign := signOf(st)
	name := "run " + st.Run
	if st.Generation > 0 {
		name += fmt.Sprintf(", generation %d", st.Generation)
	}
	p.printItem(prefix{{sign.text + " ", sign.color}}, span{string(st.State) + ":", sign.color}, plain(name))
	p.printParagraph(label("  "), 2, plain(p.RewriteCommands(advice.Meaning(st))))
	switch {
	case st.Note != "" && st.State == state.Planning:
		p.printParagraph(label("  "), 2, plain(p.RewriteCommands(st.Note)))
	case st.Note != "":
		p.printParagraph(label("  "), 2, span{p.RewriteCommands(st.Note), red})
	}
}

// signOf is the sign of a state: succeeded, failed, active, or waiting for a person.
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

func (p *page) printProgress(st state.Status) {
	if st.State != state.Planning {
		p.printTasks(st)
	}
	switch {
	case st.State.Active() && st.Tasks > 0:
		p.printItem(label("  Rate      "), plain(paceText(st)))
		for _, last := range LastResult(st) {
			p.printItem(label("  Results   "), plain(last))
		}
	case st.Rate > 0:
		p.printItem(label("  Rate      "), plain(rate(st.Rate)))
	}
	if !st.Started.IsZero() {
		p.printItem(label("  Started   "), plain(moment(st.Started)))
	}
	if st.Finished != nil {
		p.printItem(label("  Finished  "), plain(moment(*st.Finished)+", after "+duration(st.Finished.Sub(st.Started).Seconds())))
	}
	for _, name := range st.MissingQueues {
		p.printItem(label("  Queues    "), span{p.RewriteCommands(fmt.Sprintf("the queue %.100s does not exist: shuffle setup creates it, and its messages are published again", name)), red})
	}
	if st.QueueFault != "" {
		p.printItem(label("  Queues    "), span{p.RewriteCommands(st.QueueFault), red})
	}
	if len(st.Environments) > 0 {
		quoted := make([]string, len(st.Environments)) // they come from messages
		for i, scope := range st.Environments {
			quoted[i] = fmt.Sprintf("%.100q", scope)
		}
		p.printItem(label("  Queues    "), span{"another environment uses these queues: " + strings.Join(quoted, ", ") +
			"; give each environment queues of its own (SHUFFLE_TASKS_QUEUE, SHUFFLE_RESULTS_QUEUE, SHUFFLE_DEAD_LETTER_QUEUE)", red})
	}
	if st.Unreadable > 0 {
		p.printItem(label("  Messages  "), span{number(st.Unreadable) + " unreadable, from another program: see unreadable.jsonl beside the runs", red})
	}
}

func (p *page) printTasks(st state.Status) {
	if advice.Accounted(st) == 0 && !st.State.Active() {
		p.printItem(label("  Tasks     "), plain(number(st.Tasks)))
		return
	}
	dead := span{number(st.Dead) + " dead,", ""}
	if st.Dead > 0 {
		dead.color = red
	}
	p.printItem(label("  Tasks     "), plain(number(st.Tasks)+": "+number(st.Done)+" done,"), dead, plain(number(openTasks(st))+" open"))
	if st.Tasks > st.Done {
		share := float64(advice.Accounted(st)) / float64(st.Tasks)
		p.printLine(plain("            "), plain(drawBar(st, min(p.width()-21, 60))+" "+percent(share)))
	}
	var outcomes []string
	for _, o := range messages.Outcomes {
		if n := st.Outcomes[o]; n > 0 {
			outcomes = append(outcomes, number(n)+" "+string(o))
		}
	}
	if len(outcomes) > 0 {
		p.printItem(label("  Outcomes  "), plain(strings.Join(outcomes, ", ")))
	}
}

func openTasks(st state.Status) int { return max(st.Tasks-advice.Accounted(st), 0) }

// LastResult is how long ago the last result of a run with open tasks came; empty when that is
// unknown.
func LastResult(st state.Status) []string {
	if st.LastResultSeconds == nil || openTasks(st) == 0 || !st.State.Acting() {
		return nil
	}
	return []string{"the last result came " + duration(*st.LastResultSeconds) + " ago"}
}

func paceText(st state.Status) string {
	switch {
	case st.ETASeconds != nil && *st.ETASeconds == 0:
		return "all tasks are accounted for"
	case st.LastResultSeconds != nil && st.Rate <= 0:
		return "unknown: no results arrive at present"
	case st.ETASeconds == nil || st.Rate <= 0:
		return "not known yet"
	}
	return rate(st.Rate) + ", about " + duration(*st.ETASeconds) + " left"
}

// drawBar draws done tasks as #, dead and superseded ones as x, and open ones as dots. Even one
// task shows as an x, and the bar is full only when all tasks are accounted for.
func drawBar(st state.Status, w int) string {
	part := func(n int) int { return min(max(int(float64(n)/float64(st.Tasks)*float64(w)), min(n, 1)), w) }
	rest := part(openTasks(st))
	x := min(part(advice.Accounted(st)-st.Done), w-rest)
	return "[" + strings.Repeat("#", w-rest-x) + strings.Repeat("x", x) + strings.Repeat(".", rest) + "]"
}
