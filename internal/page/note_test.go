package page

import (
	"testing"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// What a run waits for is on its page, as status prints it, and in its report; amber only while it
// is planned.
func TestNote(t *testing.T) {
	for _, c := range []struct {
		state       state.State
		note, class string
	}{
		{state.Planning, "waits until no worker can act on an older run", "note warn"},
		{state.Verifying, "the tracker cannot verify: AccessDenied; it tries again; shuffle doctor says what to fix", "note bad"},
	} {
		r := sampleRun(c.state, 304, 0)
		body, _ := render(t, r)
		expect(t, body, `!id="note"`)
		r.Status.Note = c.note
		body, text := render(t, r)
		expect(t, body, `<p id="note" class="`+c.class+`">`)
		expect(t, text, site.Command) // shuffle doctor is called as the program is
		expect(t, text, map[state.State]string{state.Planning: c.note, state.Verifying: "the tracker cannot verify: AccessDenied; it tries again; shuffle --local ./x doctor says"}[c.state])
	}
}

// The report has the causes with their counts, also when all that a run would change is held; a
// file has no links.
func TestCausesOfAReport(t *testing.T) {
	r := ended(state.Succeeded, 0, 0)
	r.Plan.Changes = []state.ChangeCount{
		{Episode: "S01E01", Cause: state.ChangeRelabelled, Count: 300}, {Episode: "S01E02", Cause: state.ChangeRowGone, Count: 70, Held: true},
	}
	text := func() string {
		file, err := Report(site, r)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, string(file), `!href="/`)
		return textOf(t, string(file))
	}
	expect(t, text(), "row gone 0 70 relabelled 300 0 S01E01 (300)")
	r.Plan.Changes, r.Status.Tasks = r.Plan.Changes[1:], 0
	expect(t, text(), "row gone 0 70")
}
