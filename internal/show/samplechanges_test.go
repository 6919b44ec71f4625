package show

import (
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// changed is n changes of a cause, each with its own frame and row.
func changed(e dataset.Episode, cause state.ChangeCause, op messages.Op, from, to string, n int) state.ChangeCount {
	place := func(class string, i int) dataset.Place {
		if class == "" {
			return dataset.Place{}
		}
		return dataset.Place{Dataset: datasets[i%3], Class: class}
	}
	count := state.ChangeCount{Episode: e, Cause: cause, Count: n}
	for i := range min(n, state.FirstChanges) {
		c := state.FrameChange{Frame: dataset.FrameAt(e, 24*i+n), Row: 24*i + 2, Op: op, Cause: cause, From: place(from, i), To: place(to, i), Column: rows.ColumnJonny}
		if cause == state.ChangeRowGone || cause == state.ChangeUnrecorded {
			c.Row = 0
		}
		count.First = append(count.First, c)
	}
	return count
}

// changesPlan clears 11 classes, and holds an episode of which most rows are gone.
func changesPlan() *state.Plan {
	p := reviewPlan()
	p.Changes = []state.ChangeCount{
		changed("S01E01", state.ChangeUnlabelled, messages.Delete, "Rare", "", 11),
		changed("S01E01", state.ChangeRelabelled, messages.Move, "Common", "Legendary", 2),
		changed("S01E03", state.ChangeRelabelled, messages.Move, "Rare", "Uncommon", 36),
		changed("S01E03", state.ChangeImageChanged, messages.Refresh, "Rare", "Rare", 2),
		changed("S01E03", state.ChangeStrayCopy, messages.Delete, "Common", "Rare", 1),
		changed("S01E03", state.ChangeNew, messages.Copy, "", "Junk", 28_800),
	}
	held := changed("S01E02", state.ChangeRowGone, messages.Delete, "Common", "", 14_233)
	held.Held = true
	p.Changes = append(p.Changes, held)
	return p
}

// changesOfASeason are too many causes and episodes to name frames.
func changesOfASeason() *state.Plan {
	p := dryRunPlan()
	for i := range 14 {
		e := dataset.Episode(fmt.Sprintf("S01E%02d", i+1))
		p.Changes = append(p.Changes, changed(e, state.ChangeSettings, messages.Move, "Rare", "Rare", 9_000+i), changed(e, state.ChangeNew, messages.Copy, "", "Rare", 7))
	}
	return p
}

// unrecordedPlan is of a release that did not record causes.
func unrecordedPlan() *state.Plan {
	p := samplePlan()
	p.Changes = []state.ChangeCount{changed("S01E01", state.ChangeUnrecorded, messages.Move, "Rare", "Common", 283)}
	return p
}

func hostileChanges() *state.Plan {
	p := changesPlan()
	p.Run = hostile
	for i := range p.Changes {
		p.Changes[i].First[0].From.Class, p.Changes[i].First[0].To.Dataset = hostile, hostile
	}
	return p
}

// problemsPlan has a new class in two sheets, malformed names, and problems that the run before had
// too.
func problemsPlan() *state.Plan {
	p := samplePlan()
	for i := range 27 {
		e := &p.Episodes[i%2]
		e.Problems = append(e.Problems, state.Problem{Row: 40 + i, Frame: string(dataset.FrameAt("S01E01", 40+i)), Kind: rows.KindUnknownClass, Value: "Mythic", New: i > 24,
			Problem: `unknown class "Mythic" in SUPERVISED CLASSIFICATION: expected one of Junk, Common, Uncommon, Rare, Legendary; the frame is left as it stands`})
	}
	for i := range 36 {
		p.Episodes[2].Problems = append(p.Episodes[2].Problems, state.Problem{Row: 90 + i, Frame: fmt.Sprint("x", i), Kind: rows.KindMalformed,
			Problem: fmt.Sprintf("malformed frame name %q: frame name is not of the form TT_S01_E01_FRM-00-00-08-12", fmt.Sprint("x", i))})
	}
	for i := range p.Episodes {
		p.Episodes[i].Kinds = state.CountKinds(p.Episodes[i].Problems)
	}
	p.Episodes[1].ImagesWithoutRow, p.Episodes[2].RowsWithoutClass = 12, 3_400
	return p
}
