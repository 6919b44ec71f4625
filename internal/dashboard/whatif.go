package dashboard

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const (
	// longestGroup and widestGuard limit the settings of a what-if.
	longestGroup = time.Hour
	widestGuard  = 240
)

// whatIfSettings are the settings of a what-if, with those in force.
type whatIfSettings struct {
	state.Definition
	inForce state.Definition
}

// parseWhatIf reads the settings of a request. Settings that it does not name are those in force.
func (x catalog) parseWhatIf(r *http.Request) (whatIfSettings, error) {
	a := whatIfSettings{Definition: x.Settings.Definition, inForce: x.Settings.Definition}
	if text := r.FormValue("group"); text != "" {
		group, err := time.ParseDuration(text)
		if err != nil || group < 0 || group > longestGroup || group%time.Second != 0 {
			return a, visitorErrorf(http.StatusBadRequest, "group=%.20q: expected whole seconds up to 1h, such as 10s, or 0s for none.", text)
		}
		if a.Group = group.String(); group == 0 {
			a.Group = ""
		}
	}
	if text := r.FormValue("guard"); text != "" {
		guard, err := strconv.Atoi(text)
		if err != nil || guard < 0 || guard > widestGuard {
			return a, visitorErrorf(http.StatusBadRequest, "guard=%.20q: expected a number of frames up to %d.", text, widestGuard)
		}
		a.Guard = guard
	}
	switch text := r.FormValue("stratify"); text {
	case "":
	case "true", "false":
		a.Stratify = text == "true"
	default:
		return a, visitorErrorf(http.StatusBadRequest, "stratify=%.20q: expected true or false.", text)
	}
	return a, nil
}

// fields are the form fields of the what-if.
func (a whatIfSettings) fields() []page.Field {
	return []page.Field{
		{Name: "group", Label: "Group", Text: true, Value: cmp.Or(a.Group, "0s"), Hint: "10s"},
		{Name: "guard", Label: "Guard", Text: true, Value: strconv.Itoa(a.Guard), Hint: "2"},
		newField("stratify", "Stratify", strconv.FormatBool(a.Stratify), []string{"false", "true"}),
	}
}

// flags are the settings that differ from those in force, as flags of shuffle plan.
func (a whatIfSettings) flags() (flags []string) {
	for _, c := range a.inForce.ChangesTo(a.Definition) {
		flags = append(flags, "--"+c.Name+"="+c.After)
	}
	return flags
}

// addWhatIf adds the episode as it would be after a plan with the settings: a lane and the figures.
// It writes nothing.
func (d *dashboard) addWhatIf(ctx context.Context, p *page.Episode, x catalog, a whatIfSettings, t *inventory.Table) error {
	season := []*inventory.Table{t}
	if a.Stratify {
		got := d.tables.get(ctx, x.Changed, x.seasonEpisodes(t.Episode.Season())...)
		if season, p.Reading = got.Tables, got.progress(); got.Missing() > 0 {
			p.Drawing = true
			return nil
		}
	}
	if a.Seed == "" {
		p.Failed = "There is no run yet, so no settings are in force."
		return nil
	}
	then, err := waitBriefly(ctx, func(ctx context.Context) ([]string, error) { return d.drawDatasets(ctx, a.Definition, season, t) })
	if p.Drawing = errors.Is(err, errNotReady); !p.Drawing && err != nil {
		p.Failed = err.Error()
	}
	if err != nil {
		return ctx.Err()
	}
	now := t.CurrentDatasets()
	flags := a.flags()
	w := &page.WhatIf{Same: len(flags) == 0, Settings: strings.Join(flags, " "), Command: "plan --dry-run " + strings.Join(flags, " ")}
	w.Balance = page.NewBalance(countBalance(t, now, then, x.Settings), x.Settings)
	for i, name := range then {
		if now[i] != "" && name != "" && now[i] != name {
			w.Changing++
		}
	}
	training := x.trainingDataset()
	leaking, of := t.FindLeaking(now, training)
	w.LeakingBefore, w.FramesBefore = len(leaking), of
	leaking, of = t.FindLeaking(then, training)
	w.Leaking, w.Frames = len(leaking), of
	group, err := time.ParseDuration(cmp.Or(a.Group, "0s"))
	if err != nil {
		return err
	}
	w.Grouped = group > 0
	w.Missing, w.Rare = d.findRare(t, then, group, x.Settings)
	p.WhatIf = w
	if !w.Same {
		p.Lanes = append(p.Lanes, datasetLane("Dataset, with "+w.Settings, t, x.Settings.Listed, then))
	}
	return nil
}

// countBalance counts the frames by class and dataset, now and after the plan.
func countBalance(t *inventory.Table, now, then []string, s state.Settings) []state.Balance {
	counts := map[dataset.Place]*state.Balance{}
	var all []*state.Balance
	at := func(name, class string) *state.Balance {
		p := dataset.Place{Dataset: name, Class: class}
		if counts[p] == nil {
			counts[p] = &state.Balance{Dataset: name, Class: class}
			all = append(all, counts[p])
		}
		return counts[p]
	}
	for _, class := range s.Classes {
		for _, name := range s.Datasets {
			at(name, class)
		}
	}
	for i := range t.Frames {
		if now[i] != "" {
			at(now[i], t.Text(t.Frames[i].Folder)).Before++
		}
		if then[i] != "" {
			at(then[i], t.ClassAt(i)).After++
		}
	}
	out := make([]state.Balance, len(all))
	for i, b := range all {
		out[i] = *b
	}
	return out
}

// findRare lists the classes that a dataset would lack. It also lists those of which a dataset
// would have too few units although the episode has enough.
func (d *dashboard) findRare(t *inventory.Table, then []string, group time.Duration, s state.Settings) (missing []string, rare []state.RareClass) {
	in, all := t.CountUnits(then, group)
	for _, class := range s.Classes {
		for _, name := range s.Datasets {
			n := in[dataset.Place{Dataset: name, Class: class}]
			switch {
			case all[class] > 0 && n == 0:
				missing = append(missing, name+"/"+class)
			case n < d.MinPerClass && all[class]/len(s.Datasets) >= d.MinPerClass:
				rare = append(rare, state.RareClass{Dataset: name, Class: class, Units: n, Enough: d.MinPerClass, Of: all[class]})
			}
		}
	}
	return slices.Clip(missing), rare
}
