package show

import (
	"cmp"
	"fmt"
	"io"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// Settings prints the settings in force, and which of them the caller's environment changes.
func Settings(w io.Writer, s Style, f state.InForce, given []state.GivenSetting) error {
	return write(w, s, func(p *page) {
		if !f.Exists() {
			p.printHead(span{"No settings are in force:", bold}, plain("no run has been published yet. The first one records its settings."))
			p.printNext(step("plan --dry-run", "what it would record and do"))
			return
		}
		p.printHead(span{"In force since run " + f.Since.Run, bold})
		for _, setting := range f.Settings.List() {
			p.printItem(label(fmt.Sprintf("%-10s", setting.Name)), plain(cmp.Or(setting.Value, "none")))
		}
		if f.Rebuilt != "" {
			p.printGap()
			p.printItem(prefix{{"! ", bold}}, plain("settings.json is missing; these are taken from "+f.Rebuilt+", and the next run that is published records them."))
		}
		if len(given) > 0 {
			p.printGap()
			p.printItem(prefix{{"! ", red}}, plain("This environment gives other settings; shuffle plan is refused with them:"))
			for _, g := range given {
				p.printItem(label("  "), plain(fmt.Sprintf("%s: in force %s, given %s (%s)", g.Name, cmp.Or(g.InForce, "none"), cmp.Or(g.Given, "none"), g.From)))
			}
			p.printNext(step("plan --dry-run", "what they would move"), step("plan --change-settings", "give the datasets these settings"))
		}
	})
}

// printSettingChanges prints the settings that differ between two versions.
func (p *page) printSettingChanges(changes []state.SettingChange) {
	if len(changes) == 0 {
		return
	}
	p.printGap()
	for _, c := range changes {
		p.printItem(label("Settings  "), plain(fmt.Sprintf("%s %s → %s", c.Name, cmp.Or(c.Before, "none"), cmp.Or(c.After, "none"))))
	}
}

// printWhatIf prints the first line of a dry run with other settings than those in force.
func (p *page) printWhatIf(plan *state.Plan) {
	if plan.InForce == nil || plan.DatasetChanges == nil || plan.State != state.DryRun || plan.Restores > 0 {
		return
	}
	p.printItem(prefix{{"! ", red}}, span{"What if: ", bold}, plain(fmt.Sprintf("with other settings than those in force, %s would change their dataset.", framesOf(plan.DatasetChanges))))
}

// printSettingsChange prints the old settings and the new ones, and which frames the new ones move.
func (p *page) printSettingsChange(plan *state.Plan) {
	c := plan.DatasetChanges
	if c == nil {
		return
	}
	p.printGap()
	for _, g := range plan.Given {
		p.printItem(label("Settings  "), plain(fmt.Sprintf("%s %s → %s (%s)", g.Name, cmp.Or(g.InForce, "none"), cmp.Or(g.Given, "none"), g.From)))
	}
	p.printItem(label("Datasets  "), plain(framesOf(c)+" change their dataset"))
	for _, n := range c.Counts[:min(len(c.Counts), maxChangedFrames)] {
		p.printItem(label("            "), plain(fmt.Sprintf("%s %s: %s", n.Episode, n.Class, count(n.Frames, "frame"))))
	}
	if more := len(c.Counts) - maxChangedFrames; more > 0 {
		p.printItem(label("            "), plain(fmt.Sprintf("and %d more classes of episodes: plan --json has all", more)))
	}
	for _, t := range c.Trained {
		if t.Trained > 0 {
			p.printItem(prefix{{"! ", red}}, plain(fmt.Sprintf("%s: %s of its %s were in training in a kept version: a model may have been trained on them.",
				t.Dataset, number(t.Trained), count(t.Frames, "frame"))))
		}
	}
}

// maxChangedFrames limits the lines of a plan; its JSON has all.
const maxChangedFrames = 12

func framesOf(c *state.DatasetChanges) string {
	return fmt.Sprintf("%s of %s", number(c.Frames), count(c.Of, "frame"))
}
