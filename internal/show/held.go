package show

import (
	"strings"

	"github.com/angel-nft/google-shuffle/internal/manifest"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// heldEpisode is an episode that was left as it stands, with its sheet's URL where that is known.
type heldEpisode struct {
	state.HeldEpisode
	sheet string
}

func heldOf(episodes []state.EpisodePlan) []heldEpisode {
	var all []heldEpisode
	for _, e := range episodes {
		if isHeld(e) {
			all = append(all, heldEpisode{state.HeldEpisode{Season: e.Season, Episode: e.Episode, Reason: e.Reason, Cause: e.Cause}, e.Sheet})
		}
	}
	return all
}

func heldIn(st state.Status) []heldEpisode {
	var all []heldEpisode
	for _, e := range st.Held {
		all = append(all, heldEpisode{HeldEpisode: e})
	}
	return all
}

// held prints the held episodes with their whole reasons; of is the number of all episodes, 0 when
// that is unknown.
func (p *page) held(all []heldEpisode, of int) {
	if len(all) == 0 {
		return
	}
	p.gap()
	head, rest := count(len(all), "episode"), " held: left as it stands"
	if of > 0 {
		head = number(len(all)) + " of " + count(of, "episode")
	}
	if len(all) > 1 {
		rest = " held: left as they stand"
	}
	p.head(span{"! " + head + rest, red})
	for _, e := range all {
		p.item(at("  "+e.Season+e.Episode+"  "), plain(e.Reason))
		if e.sheet != "" {
			p.para(at("          "), 10, span{e.sheet, dim})
		}
	}
}

// manifests prints the problems that no episode owns. They often begin with the manifest's name
// themselves.
func (p *page) manifests(all []state.ManifestProblem) {
	if len(all) == 0 {
		return
	}
	p.gap()
	p.head(span{"! " + count(len(all), "manifest problem") + ": the episodes of these manifests are not planned", red})
	for _, m := range all {
		text := strings.TrimPrefix(m.Problem, "parse ")
		text = strings.TrimPrefix(text, "manifest "+m.Manifest+": ")
		p.para(at("  "), 4, plain(m.Manifest+":"), plain(text))
	}
}

// orphans prints the episodes that no manifest names. While a manifest is not read because of its
// name, they may be of it, and nothing is said of how to delete them.
func (p *page) orphans(all []state.Orphan, manifests []state.ManifestProblem) {
	if len(all) == 0 {
		return
	}
	p.gap()
	p.head(span{"! Orphans: " + count(len(all), "episode") + " in the datasets that no manifest names, left alone", red})
	var misnamed []string
	for _, m := range manifests {
		if _, ok := manifest.SeasonOf(m.Manifest); !ok {
			misnamed = append(misnamed, m.Manifest)
		}
	}
	for _, o := range all {
		name := string(o.Episode)
		if len(misnamed) > 0 {
			p.item(at("  "+name+"  "), plain(strings.Join(o.Places, ", ")))
			continue
		}
		p.item(at("  "+name+"  "), plain(strings.Join(o.Places, ", ")+"; to delete them:"), plain(p.Commands("shuffle plan --prune "+name)))
	}
	for _, key := range misnamed {
		p.para(at("  "), 4, plain("They may be of "+key+", which is not read: give it a name such as S01-episodes.json."))
	}
}
