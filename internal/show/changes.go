package show

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Changes prints what a kept run changes and why.
func Changes(w io.Writer, s Style, run string, st state.State, counts []state.ChangeCount) error {
	return write(w, s, func(p *page) {
		total := 0
		for _, n := range counts {
			if !n.Held {
				total += n.Count
			}
		}
		p.printHead(span{"Run " + run, bold}, plain(fmt.Sprintf("(%s): %s", st, count(total, "change"))))
		if len(counts) == 0 {
			return
		}
		p.printChangesByCause(counts)
		p.printNext(step("changes "+run+" --csv FILE", "all of them, frame by frame"))
	})
}

// causeMeanings explain what happens to the frames of a cause, and why.
var causeMeanings = map[state.ChangeCause]string{
	state.ChangeRowGone:      "deleted: their rows are gone",
	state.ChangeUnlabelled:   "deleted: their class is blank now",
	state.ChangeImageGone:    "deleted: their source images are gone",
	state.ChangeOrphan:       "deleted: no manifest names their episode",
	state.ChangeRelabelled:   "moved: their class has changed",
	state.ChangeSettings:     "moved or deleted by the settings: their class has not changed",
	state.ChangeImageChanged: "copied again: their images have changed",
	state.ChangeStrayCopy:    "in a second place too: that copy is deleted",
	state.ChangeNew:          "copied: they are in no dataset yet",
	state.ChangeRestore:      "brought back to the version",
	state.ChangeUnrecorded:   "changed: the release that planned this run did not record causes",
}

// printChangesByCause prints the changes by cause, and then those that held episodes would have
// made.
func (p *page) printChangesByCause(counts []state.ChangeCount) {
	held := slices.Clone(counts)
	held = slices.DeleteFunc(held, func(n state.ChangeCount) bool { return !n.Held })
	made := slices.DeleteFunc(slices.Clone(counts), func(n state.ChangeCount) bool { return n.Held })
	if len(made) > 0 {
		p.printGap()
		p.printHead(span{"Changes by cause:", bold})
		p.printCauses(made)
	}
	if len(held) > 0 {
		p.printGap()
		p.printHead(span{"! The held episodes would change:", red})
		p.printCauses(held)
	}
}

// printCauses prints each cause with its episodes and their first changes.
func (p *page) printCauses(counts []state.ChangeCount) {
	each := 0 // so that a season's plan stays readable
	switch {
	case len(counts) <= 8:
		each = state.FirstChanges
	case len(counts) <= 24:
		each = 1
	}
	for _, cause := range state.ChangeCauses {
		var episodes []string
		var first []state.FrameChange
		total := 0
		for _, n := range counts {
			if n.Cause != cause {
				continue
			}
			total += n.Count
			episodes = append(episodes, string(n.Episode)+" "+number(n.Count))
			first = append(first, n.First[:min(each, len(n.First))]...)
		}
		if total == 0 {
			continue
		}
		if more := len(episodes) - maxEpisodes; more > 0 {
			episodes = append(episodes[:maxEpisodes], "and "+count(more, "more episode"))
		}
		p.printItem(prefix{{fmt.Sprintf("  %-13s  ", cmp.Or(string(cause), "not recorded")), bold}},
			plain(number(total)+" "+causeMeanings[cause]+" ("+strings.Join(episodes, ", ")+")"))
		for _, c := range first {
			p.printChange(c)
		}
	}
}

// maxEpisodes bounds the episodes that are named for a cause.
const maxEpisodes = 12

func (p *page) printChange(c state.FrameChange) {
	row := ""
	if c.Row > 0 {
		row = fmt.Sprintf("row %d", c.Row)
	}
	places := placeText(c.From) + " → " + placeText(c.To)
	switch {
	case c.Op == messages.Refresh:
		places = placeText(c.To)
	case c.Cause == state.ChangeStrayCopy && c.Op == messages.Delete:
		places = placeText(c.From) + ", stays in " + placeText(c.To)
	}
	p.printParagraph(label(fmt.Sprintf("    %-9s  ", row)), 6, plain(string(c.Frame)+" "), plain(places))
}

// placeText is a place as text.
func placeText(at dataset.Place) string {
	if at == (dataset.Place{}) {
		return "nowhere"
	}
	return at.String()
}

// printAllChanges prints how to list every change of a plan.
func (p *page) printAllChanges(plan *state.Plan) {
	if len(plan.Changes) == 0 {
		return
	}
	way := p.RewriteCommands("shuffle changes " + plan.Run + " --csv FILE")
	if plan.State == state.DryRun {
		way = "the same command with --changes FILE"
	}
	p.printParagraph(label("  "), 4, span{"All of them, frame by frame: " + way, dim})
}
