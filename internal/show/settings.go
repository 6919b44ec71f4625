package show

import (
	"cmp"
	"fmt"
	"io"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// Settings prints the settings in force, and what the caller gives otherwise.
func Settings(w io.Writer, s Style, f state.InForce, given []state.GivenSetting) error {
	return write(w, s, func(p *page) {
		if !f.Exists() {
			p.head(span{"No settings are in force:", bold}, plain("no run has been published yet. The first one records its settings."))
			p.next(step("plan --dry-run", "what it would record and do"))
			return
		}
		p.head(span{"In force since run " + f.Since.Run, bold})
		for _, setting := range f.Settings.List() {
			p.item(at(fmt.Sprintf("%-10s", setting.Name)), plain(cmp.Or(setting.Value, "none")))
		}
		if f.Rebuilt != "" {
			p.gap()
			p.item(lead{{"! ", bold}}, plain("settings.json is missing; these are taken from "+f.Rebuilt+", and the next run that is published records them."))
		}
		if len(given) > 0 {
			p.gap()
			p.item(lead{{"! ", red}}, plain("This environment gives other settings; shuffle plan is refused with them:"))
			p.given(given)
			p.next(step("plan --dry-run", "what they would move"), step("plan --change-settings", "give the datasets these settings"))
		}
	})
}

// given prints what was given otherwise than it is in force, a line each.
func (p *page) given(given []state.GivenSetting) {
	for _, g := range given {
		p.item(at("  "), plain(fmt.Sprintf("%s: in force %s, given %s (%s)", g.Name, cmp.Or(g.InForce, "none"), cmp.Or(g.Given, "none"), g.From)))
	}
}

// settingChanges prints which settings two versions were made with, where they differ.
func (p *page) settingChanges(changes []state.SettingChange) {
	if len(changes) == 0 {
		return
	}
	p.gap()
	for _, c := range changes {
		p.item(at("Settings  "), plain(fmt.Sprintf("%s %s → %s", c.Name, cmp.Or(c.Before, "none"), cmp.Or(c.After, "none"))))
	}
}

// whatIf is the first line of a dry run that is made with other settings than those in force.
func (p *page) whatIf(plan *state.Plan) {
	if plan.InForce == nil || plan.DatasetChanges == nil || plan.State != state.DryRun || plan.Restores > 0 {
		return
	}
	p.item(lead{{"! ", red}}, span{"What if: ", bold}, plain(fmt.Sprintf("with other settings than those in force, %s would change their dataset.", framesOf(plan.DatasetChanges))))
}

// settingsChange shows the old settings and the new ones, and what the new ones move.
func (p *page) settingsChange(plan *state.Plan) {
	c := plan.DatasetChanges
	if c == nil {
		return
	}
	p.gap()
	for _, g := range plan.Given {
		p.item(at("Settings  "), plain(fmt.Sprintf("%s %s → %s (%s)", g.Name, cmp.Or(g.InForce, "none"), cmp.Or(g.Given, "none"), g.From)))
	}
	p.item(at("Datasets  "), plain(framesOf(c)+" change their dataset"))
	for _, n := range c.Counts[:min(len(c.Counts), maxChangedFrames)] {
		p.item(at("            "), plain(fmt.Sprintf("%s %s: %s", n.Episode, n.Class, count(n.Frames, "frame"))))
	}
	if more := len(c.Counts) - maxChangedFrames; more > 0 {
		p.item(at("            "), plain(fmt.Sprintf("and %d more classes of episodes: plan --json has all", more)))
	}
	for _, t := range c.Trained {
		if t.Trained > 0 {
			p.item(lead{{"! ", red}}, plain(fmt.Sprintf("%s: %s of its %s stood in training in a kept version: a model has been trained on them.",
				t.Dataset, number(t.Trained), count(t.Frames, "frame"))))
		}
	}
}

// maxChangedFrames bounds the lines of a plan; its JSON has all.
const maxChangedFrames = 12

func framesOf(c *state.DatasetChanges) string {
	return fmt.Sprintf("%s of %s", number(c.Frames), count(c.Of, "frame"))
}
