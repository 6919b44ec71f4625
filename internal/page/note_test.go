package page

import (
	"testing"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// A run's page and its report show what the run waits for, as status prints it. It is amber only
// while the run is planned.
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
		expect(t, text, site.Command) // the name of the program in shuffle doctor
		expect(t, text, map[state.State]string{state.Planning: c.note, state.Verifying: "the tracker cannot verify: AccessDenied; it tries again; shuffle --local ./x doctor says"}[c.state])
	}
}

// The report has the causes with their counts, also when all changes of a run are held. A file has
// no links.
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
