package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Status prints where a run stands, and last what to type.
func Status(w io.Writer, s Style, st state.Status) error {
	return write(w, s, func(p *page) {
		p.verdict(st)
		p.gap()
		p.progress(st)
		if st.Differences > 0 {
			p.item(at("  Differ    "), span{count(st.Differences, "difference") + " between the datasets and the plan", red})
		}
		p.held(heldIn(st), 0)
		p.next(advice.ForStatus(st)...)
	})
}

// Line is a status on one line, for where nothing can be drawn over.
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
		parts = append(parts, pace(st))
	default:
		parts = append(parts, LastResult(st)...)
	}
	return Clean(strings.Join(parts, ", "))
}

func (p *page) verdict(st state.Status) {
	sign := signOf(st)
	who := "run " + st.Run
	if st.Generation > 0 {
		who += fmt.Sprintf(", generation %d", st.Generation)
	}
	p.item(lead{{sign.text + " ", sign.color}}, span{string(st.State) + ":", sign.color}, plain(who))
	p.para(at("  "), 2, plain(p.Commands(advice.Meaning(st))))
	switch {
	case st.Note != "" && st.State == state.Planning:
		p.para(at("  "), 2, plain(p.Commands(st.Note)))
	case st.Note != "":
		p.para(at("  "), 2, span{p.Commands(st.Note), red})
	}
}

// signOf gives a state the sign of its kind: ended well, ended badly, not ended, needs somebody.
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

func (p *page) progress(st state.Status) {
	if st.State != state.Planning {
		p.tasks(st)
	}
	switch {
	case st.State.Active() && st.Tasks > 0:
		p.item(at("  Rate      "), plain(pace(st)))
		for _, last := range LastResult(st) {
			p.item(at("  Results   "), plain(last))
		}
	case st.Rate > 0:
		p.item(at("  Rate      "), plain(rate(st.Rate)))
	}
	if !st.Started.IsZero() {
		p.item(at("  Started   "), plain(moment(st.Started)))
	}
	if st.Finished != nil {
		p.item(at("  Finished  "), plain(moment(*st.Finished)+", after "+duration(st.Finished.Sub(st.Started).Seconds())))
	}
	for _, name := range st.MissingQueues {
		p.item(at("  Queues    "), span{p.Commands(fmt.Sprintf("the queue %.100s does not exist: shuffle setup creates it, and what was on it is published again", name)), red})
	}
	if st.QueueFault != "" {
		p.item(at("  Queues    "), span{p.Commands(st.QueueFault), red})
	}
	if len(st.Environments) > 0 {
		p.item(at("  Queues    "), span{"another environment uses these queues: " + environments(st.Environments) +
			"; give each environment queues of its own (SHUFFLE_TASKS_QUEUE, SHUFFLE_RESULTS_QUEUE, SHUFFLE_DEAD_LETTER_QUEUE)", red})
	}
	if st.Unreadable > 0 {
		p.item(at("  Messages  "), span{number(st.Unreadable) + " unreadable, of somebody else: see unreadable.jsonl beside the runs", red})
	}
}

// environments lists scopes, which messages name.
func environments(scopes []string) string {
	quoted := make([]string, len(scopes))
	for i, scope := range scopes {
		quoted[i] = fmt.Sprintf("%.100q", scope)
	}
	return strings.Join(quoted, ", ")
}

func (p *page) tasks(st state.Status) {
	if advice.Accounted(st) == 0 && !st.State.Active() {
		p.item(at("  Tasks     "), plain(number(st.Tasks)))
		return
	}
	dead := span{number(st.Dead) + " dead,", ""}
	if st.Dead > 0 {
		dead.color = red
	}
	p.item(at("  Tasks     "), plain(number(st.Tasks)+": "+number(st.Done)+" done,"), dead, plain(number(open(st))+" open"))
	if st.Tasks > st.Done {
		share := float64(advice.Accounted(st)) / float64(st.Tasks)
		p.line(plain("            "), plain(bar(st, min(p.width()-21, 60))+" "+percent(share)))
	}
	if outcomes := outcomes(st); outcomes != "" {
		p.item(at("  Outcomes  "), plain(outcomes))
	}
}

func open(st state.Status) int { return max(st.Tasks-advice.Accounted(st), 0) }

func outcomes(st state.Status) string {
	var parts []string
	for _, o := range messages.Outcomes {
		if n := st.Outcomes[o]; n > 0 {
			parts = append(parts, number(n)+" "+string(o))
		}
	}
	return strings.Join(parts, ", ")
}

// LastResult says how long ago the last result of a run with open tasks came; nothing where that is
// unknown.
func LastResult(st state.Status) []string {
	if st.LastResultSeconds == nil || open(st) == 0 || !st.State.Acting() {
		return nil
	}
	return []string{"the last result came " + duration(*st.LastResultSeconds) + " ago"}
}

func pace(st state.Status) string {
	switch {
	case st.ETASeconds != nil && *st.ETASeconds == 0:
		return "all tasks are accounted for"
	case st.LastResultSeconds != nil && st.Rate <= 0:
		return "unknown: results do not come at present"
	case st.ETASeconds == nil || st.Rate <= 0:
		return "unknown yet"
	}
	return rate(st.Rate) + ", about " + duration(*st.ETASeconds) + " left"
}

// bar draws done tasks as #, those that ended otherwise as x, and open ones as dots. A single x
// shows, and the bar is not full before all tasks are accounted for.
func bar(st state.Status, w int) string {
	part := func(n int) int { return min(max(int(float64(n)/float64(st.Tasks)*float64(w)), min(n, 1)), w) }
	rest := part(open(st))
	x := min(part(advice.Accounted(st)-st.Done), w-rest)
	return "[" + strings.Repeat("#", w-rest-x) + strings.Repeat("x", x) + strings.Repeat(".", rest) + "]"
}
