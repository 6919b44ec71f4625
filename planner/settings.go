package planner

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// chosen is the definition that a plan uses, together with the one in force.
type chosen struct {
	state.Definition
	inForce state.InForce
	// given are the settings that differ from those in force.
	given []state.GivenSetting
}

// changed reports whether the settings of the plan differ from those in force.
func (c chosen) changed() bool { return len(c.given) > 0 }

// chooseSettings reads the settings in force and chooses the definition of the plan. latest is the
// dataset version that the settings in force were read with.
func (in inputs) chooseSettings(ctx context.Context) (ch chosen, latest *lastVersion, err error) {
	latest = &lastVersion{store: in.p.Store}
	inForce, err := in.p.Store.SettingsBeside(ctx, latest.get)
	if err != nil {
		return chosen{}, nil, err
	}
	if inForce.Rebuilt != "" {
		in.p.log().Warn("settings.json is missing; the settings in force are taken from " + inForce.Rebuilt)
	}
	if in.fixed != nil {
		ch = in.p.Config.with(inForce, *in.fixed)
		for i := range ch.given {
			ch.given[i].From = fmt.Sprintf("version %d", in.opt.Restore)
		}
		return ch, latest, nil
	}
	ch, err = in.p.Config.choose(inForce, in.opt)
	return ch, latest, err
}

// sameSettings fails when settings.json has other settings than those that the plan was made from.
// The planner of an older run may have begun to write it before it lost the pointer, and such a
// write can arrive late.
func (in inputs) sameSettings(ctx context.Context) error {
	now, err := in.p.Store.RecordedSettings(ctx)
	if err != nil || !now.Exists() || now.Settings.Equal(in.chosen.inForce.Settings) {
		return err
	}
	return fmt.Errorf("run %s has recorded other settings while this plan was made: type shuffle plan again, and shuffle settings to see them", now.Since.Run)
}

// choose returns the definition of a plan (DESIGN 5, "Settings in force"):
//
//	in force | the caller gives           | options            | the plan uses
//	---------+----------------------------+--------------------+------------------------------------------
//	no       | anything                   | any                | what is given, and defaults
//	yes      | the same, or nothing       | any                | what is in force
//	yes      | other settings             | none, review       | refused
//	yes      | other settings             | dry run            | what is given over what is in force
//	yes      | other settings             | change settings    | what is given over what is in force
//	yes      | another seed               | reshuffle          | the given seed
//	yes      | no seed                    | reshuffle          | a new seed
func (c *Config) choose(inForce state.InForce, opt Options) (chosen, error) {
	if !inForce.Exists() {
		d := c.definition()
		d.Seed, d.Pinned = opt.Seed, withoutNames(opt.Pin, opt.Unpin)
		if d.Seed == "" {
			d.Seed = rand.Text()
		}
		return chosen{Definition: d}, c.checkPins(nil, d, opt)
	}
	if opt.Recorded {
		return c.with(inForce, inForce.Settings), nil
	}
	if opt.ChangeSettings && !opt.DryRun && (opt.Season != "" || len(opt.Episodes) > 0) {
		return chosen{}, fmt.Errorf("%w: --change-settings with --season or --episode: settings are those of all episodes, and a plan of some would leave the others to move later; leave the selection out",
			ErrUsage)
	}
	wanted := c.over(inForce.Settings)
	switch {
	case opt.Seed != "":
		wanted.Seed = opt.Seed
	case opt.Reshuffle:
		wanted.Seed = rand.Text()
	}
	for _, name := range opt.Pin {
		if !slices.Contains(wanted.Pinned, name) {
			wanted.Pinned = append(slices.Clone(wanted.Pinned), name)
		}
	}
	wanted.Pinned = withoutNames(wanted.Pinned, opt.Unpin)
	ch := c.with(inForce, wanted)
	if err := c.checkPins(inForce.Settings.Pinned, wanted, opt); err != nil {
		return ch, err
	}
	refused := slices.DeleteFunc(slices.Clone(ch.given), func(g state.GivenSetting) bool {
		return opt.ChangeSettings || opt.DryRun || g.Name == "seed" && opt.Reshuffle
	})
	if len(refused) > 0 {
		return ch, refusal(inForce, refused)
	}
	return ch, nil
}

// with compares a definition with the one in force.
func (c *Config) with(inForce state.InForce, wanted state.Definition) chosen {
	ch := chosen{Definition: wanted, inForce: inForce}
	if !inForce.Exists() {
		return ch
	}
	for _, s := range inForce.Settings.ChangesTo(wanted) {
		from := c.Given[s.Name] // a flag or a variable
		switch {
		case s.Name == "pinned":
			from = "--pin, --unpin"
		case s.Name == "seed" && from == "":
			from = "--reshuffle"
		}
		ch.given = append(ch.given, state.GivenSetting{Name: s.Name, InForce: s.Before, Given: s.After, From: from})
	}
	return ch
}

// GivenSettings returns the settings from the caller's flags and environment that differ from those
// in force.
func (c *Config) GivenSettings(inForce state.InForce) []state.GivenSetting {
	if !inForce.Exists() {
		return nil
	}
	return c.with(inForce, c.over(inForce.Settings)).given
}

// refusal names each setting that differs, and both ways to continue.
func refusal(inForce state.InForce, refused []state.GivenSetting) error {
	var lines strings.Builder
	for _, g := range refused {
		fmt.Fprintf(&lines, "\n  %s: in force %s, given %s (%s)", g.Name, g.InForce, g.Given, g.From)
	}
	also := ""
	if refused[0].Name == "seed" {
		also = " (or --reshuffle, for the seed alone)"
	}
	return fmt.Errorf("%w: the settings given are not those in force since run %s:%s\nleave them out, or add --change-settings%s to give the datasets these settings; shuffle plan --dry-run shows what that moves",
		ErrUsage, inForce.Since.Run, lines.String(), also)
}

// definition returns the settings from flags, environment and defaults, without a seed.
func (c *Config) definition() state.Definition {
	d := state.Definition{Split: c.Split.String(), Stratify: c.Stratify, Guard: c.Guard, Subsample: c.Subsample, Classes: c.Classes}
	if c.Group > 0 {
		d.Group = c.Group.String()
	}
	return d
}

// over replaces the settings of a definition by the given ones.
func (c *Config) over(d state.Definition) state.Definition {
	mine := c.definition()
	for name, take := range map[string]func(){
		"split":     func() { d.Split = mine.Split },
		"group":     func() { d.Group = mine.Group },
		"stratify":  func() { d.Stratify = mine.Stratify },
		"guard":     func() { d.Guard = mine.Guard },
		"subsample": func() { d.Subsample = mine.Subsample },
		"classes":   func() { d.Classes = mine.Classes },
	} {
		if c.Given[name] != "" {
			take()
		}
	}
	return d
}

// checkPins refuses to pin a dataset that the split does not have, and to unpin a dataset that is
// not pinned. before are the datasets that are pinned now.
func (c *Config) checkPins(before []string, d state.Definition, opt Options) error {
	if len(opt.Pin)+len(opt.Unpin) > 0 && !opt.ChangeSettings && !opt.DryRun {
		return fmt.Errorf("%w: --pin and --unpin change the settings in force: add --change-settings, or --dry-run to see what that does", ErrUsage)
	}
	for _, name := range opt.Unpin {
		if slices.Contains(opt.Pin, name) || !slices.Contains(before, name) {
			return fmt.Errorf("%w: --unpin %s: expected a dataset that is pinned (now: %s) and is not given with --pin", ErrUsage, name, cmp.Or(strings.Join(before, ", "), "none"))
		}
	}
	split, err := ParseSplit(d.Split)
	if err != nil {
		return fmt.Errorf("%w: %w", state.ErrSettings, err)
	}
	for _, name := range d.Pinned {
		if !slices.Contains(split.Datasets(), name) {
			return fmt.Errorf("%w: the dataset %q is pinned, and the split %s has none of this name: add it to the split, or --unpin %s", ErrUsage, name, d.Split, name)
		}
	}
	return nil
}

func withoutNames(names, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(gone, name) })
}

// newAssigner makes the assigner of a definition.
func newAssigner(d state.Definition) (*Assigner, error) {
	split, err := ParseSplit(d.Split)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", state.ErrSettings, err)
	}
	a := &Assigner{Split: split, Seed: d.Seed, Guard: d.Guard, Subsample: d.Subsample, Pinned: d.Pinned}
	if d.Group != "" {
		if a.Group, err = time.ParseDuration(d.Group); err != nil || a.Group < 0 || a.Group%time.Second != 0 {
			return nil, fmt.Errorf("%w: group %q: expected a duration in whole seconds, such as 10s", state.ErrSettings, d.Group)
		}
	}
	return a, nil
}
