package show

import (
	"strings"

	"github.com/angel-nft/google-shuffle/internal/manifest"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// heldEpisode is a held episode, with its sheet's URL where that is known.
type heldEpisode struct {
	state.HeldEpisode
	sheet string
}

func heldInPlan(episodes []state.EpisodePlan) []heldEpisode {
	var all []heldEpisode
	for _, e := range episodes {
		if isHeld(e) {
			all = append(all, heldEpisode{state.HeldEpisode{Season: e.Season, Episode: e.Episode, Reason: e.Reason, Cause: e.Cause}, e.Sheet})
		}
	}
	return all
}

// printHeld prints the held episodes with their reasons. of is the number of all episodes, or 0
// when that is unknown.
func (p *page) printHeld(all []heldEpisode, of int) {
	if len(all) == 0 {
		return
	}
	p.printGap()
	head := count(len(all), "episode")
	if of > 0 {
		head = number(len(all)) + " of " + count(of, "episode")
	}
	p.printHead(span{"! " + head + " held: nothing changes there", red})
	for _, e := range all {
		p.printItem(label("  "+e.Season+e.Episode+"  "), plain(e.Reason))
		if e.sheet != "" {
			p.printParagraph(label("          "), 10, span{e.sheet, dim})
		}
	}
}

// printManifests prints the problems of manifests. Their texts often begin with the manifest's
// name, which is not printed twice.
func (p *page) printManifests(all []state.ManifestProblem) {
	if len(all) == 0 {
		return
	}
	p.printGap()
	p.printHead(span{"! " + count(len(all), "manifest problem") + ": the episodes of these manifests are not planned", red})
	for _, m := range all {
		text := strings.TrimPrefix(m.Problem, "parse ")
		text = strings.TrimPrefix(text, "manifest "+m.Manifest+": ")
		p.printParagraph(label("  "), 4, plain(m.Manifest+":"), plain(text))
	}
}

// printOrphans prints the episodes that no manifest names. When a manifest is ignored because of
// its own name, they may belong to it: then the command that deletes them is not printed.
func (p *page) printOrphans(all []state.Orphan, manifests []state.ManifestProblem) {
	if len(all) == 0 {
		return
	}
	p.printGap()
	p.printHead(span{"! Orphans: " + count(len(all), "episode") + " in the datasets that no manifest names, not changed", red})
	var misnamed []string
	for _, m := range manifests {
		if _, ok := manifest.SeasonOf(m.Manifest); !ok {
			misnamed = append(misnamed, m.Manifest)
		}
	}
	for _, o := range all {
		name := string(o.Episode)
		if len(misnamed) > 0 {
			p.printItem(label("  "+name+"  "), plain(strings.Join(o.Places, ", ")))
			continue
		}
		p.printItem(label("  "+name+"  "), plain(strings.Join(o.Places, ", ")+"; to delete them:"), plain(p.RewriteCommands("shuffle plan --prune "+name)))
	}
	for _, key := range misnamed {
		p.printParagraph(label("  "), 4, plain("They may belong to "+key+", which is not read: give it a name such as S01-episodes.json."))
	}
}
