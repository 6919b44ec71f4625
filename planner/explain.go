package planner

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/manifest"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
)

// Explain says why a frame stands where it stands and what the next plan would do to it. It plans the frame's episode as
// Plan does, and writes nothing.
func (p *Planner) Explain(ctx context.Context, f dataset.Frame) (*why.Explanation, error) {
	d := p.draft(Options{DryRun: true, Recorded: true})
	x := &explainer{draft: d, out: &why.Explanation{
		Frame: f, Episode: f.Episode(), Rows: []why.Row{}, Stands: []why.Copy{}, Problems: []state.Problem{}, Operations: []why.Operation{}}}
	var err error
	if d.names, err = d.catalog(ctx); err != nil {
		return nil, err
	}
	plan, err := d.header(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.readBases(ctx); err != nil {
		return nil, err
	}
	if err := x.explain(ctx); err != nil {
		return nil, err
	}
	x.out.Split.Seed = d.chosen.inForce.Settings.Seed
	x.out.Split.Stratified = plan.Settings.Stratify
	return x.out, nil
}

// explainer is one explanation in the making.
type explainer struct {
	*draft
	out *why.Explanation
	// values is the sheet of the frame's episode, when it has been read.
	values sheet.Values
}

func (x *explainer) explain(ctx context.Context) error {
	folders := x.folders()
	in := EpisodeInput{Episode: x.out.Episode, Layout: x.p.Config.Layout, Ceiling: x.p.Config.MaxDelete, RefreshCeiling: x.p.Config.MaxRefresh, Same: sameETag, Assign: x.assign}
	err := x.plan(ctx, &in, folders)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		x.out.Held = err.Error()
	}
	if in.Standing == nil { // something before the listing held the episode
		found, err := folders(ctx)
		if err != nil {
			return err
		}
		if in.Standing, err = x.dest.Episode(ctx, found, in.Episode); err != nil {
			return err
		}
	}
	in.Assign = in.Assign.pin(in.Standing)
	x.sheetRows(in.Sheet)
	x.source(in)
	x.out.Split = placeOf(in.Assign, x.out.Frame)
	x.change(in)
	return nil
}

// plan fills in the input of the episode's plan, as far as it can be had. Its error holds the episode.
func (x *explainer) plan(ctx context.Context, in *EpisodeInput, folders func(context.Context) ([]dataset.Folder, error)) error {
	s, at := x.names.find(in.Episode)
	if at < 0 {
		return x.names.unnamed(in.Episode)
	}
	entry := s.episodes[at]
	x.out.Sheet = why.Sheet{Title: entry.Title, URL: entry.URL}
	reads := make([]func(context.Context) (rows.Sheet, error), len(s.episodes))
	for i, e := range s.episodes {
		reads[i] = func(ctx context.Context) (rows.Sheet, error) {
			values, err := x.worksheet(ctx, e)
			if i == at {
				x.values = values
			}
			if err != nil {
				return rows.Sheet{}, err
			}
			return x.readSheet(e, values)
		}
	}
	assign := *x.assign
	if x.chosen.Stratify {
		if err := x.stratify(ctx, &assign, s, reads, folders); err != nil {
			return err
		}
	}
	in.Assign = &assign
	out, err := x.changes(ctx, entry, in, reads[at], folders)
	if err == nil && out.Held != "" {
		err = fmt.Errorf("%s", out.Held)
	}
	x.problems(slices.Concat(convert(in.Sheet.Problems), out.Problems))
	return err
}

// find is the season of the episode and its index there; -1 when no manifest that could be read names it.
func (c *catalog) find(e dataset.Episode) (season, int) {
	for _, s := range c.seasons() {
		if i := slices.IndexFunc(s.episodes, func(entry manifest.Entry) bool { return entry.Episode == e }); i >= 0 {
			return s, i
		}
	}
	return season{}, -1
}

// unnamed says why an episode is not planned at all.
func (c *catalog) unnamed(e dataset.Episode) error {
	for _, p := range c.problems {
		if code, ok := manifest.SeasonOf(p.Manifest); ok && code == e.Season() {
			return fmt.Errorf("the manifest %s: %s", p.Manifest, p.Problem)
		}
	}
	return fmt.Errorf("no manifest names %s: its frames in the datasets are orphans, and are left alone (shuffle plan --prune %s deletes them)", e, e)
}

func (x *explainer) problems(all []state.Problem) {
	for _, p := range all {
		if p.Frame == string(x.out.Frame) && !slices.Contains(x.out.Problems, p) {
			x.out.Problems = append(x.out.Problems, p)
		}
	}
}

// sheetRows finds the frame's rows, also in a sheet that holds its episode.
func (x *explainer) sheetRows(s rows.Sheet) {
	x.out.Sheet.Title = cmp.Or(x.values.Title, x.out.Sheet.Title)
	for _, r := range s.Rows {
		if r.Frame == x.out.Frame {
			x.out.Class = r.Class
		}
	}
	if s.Header == (rows.Header{}) {
		return
	}
	for i, row := range x.values.Rows[1:] {
		cells := s.Header.Cells(row)
		if named, err := rows.ParseFrame(cells.Frame); err != nil || named != x.out.Frame {
			continue
		}
		_, column := rows.Decide(s.Header, row)
		x.out.Rows = append(x.out.Rows, why.Row{
			Row: i + 2, Jonny: cells.Jonny, Supervised: cells.Supervised, Unsupervised: cells.Unsupervised, Deciding: column})
	}
}

func (x *explainer) source(in EpisodeInput) {
	if in.Sheet.Base != "" {
		x.out.Source = why.Object{Key: in.Sheet.Base + x.out.Frame.File(), ETag: in.Images[x.out.Frame]}
	}
}

// placeOf is how a frame comes to its dataset.
func placeOf(a *Assigner, f dataset.Frame) why.Split {
	unit := Unit(f, a.Group)
	s := why.Split{Unit: unit, U: Position(a.Seed, unit)}
	from := 0.0
	for _, share := range a.Split {
		s.Shares = append(s.Shares, why.Share{Dataset: share.Dataset, From: from, To: from + share.Ratio})
		from += share.Ratio
	}
	line, known := a.line(unit)
	name, in := a.Dataset(f)
	drawn, _ := a.unit(f)
	s.Line, s.Dataset = line, name
	if pinned, ok := a.pins.frames[f]; ok {
		s.Pinned = fmt.Sprintf("%s is pinned, and the frame stands in it", pinned)
	} else if line, ok := a.line(unit); ok && drawn != a.Split.At(line) {
		s.Pinned = fmt.Sprintf("its block holds or touches one of %s, which is pinned, so it is not in %s", strings.Join(a.Pinned, ", "), a.Split.At(line))
	}
	switch {
	case in:
	case !kept(a.Seed, unit, a.Subsample):
		s.LeftOut = fmt.Sprintf("the subsample keeps one unit in %d, and this is another (SHUFFLE_SUBSAMPLE)", a.Subsample)
	case !known:
		s.LeftOut = "none of the unit's frames has a class"
	case s.Pinned != "" && len(a.untrained()) == 0:
		s.LeftOut = s.Pinned + ", and no other dataset has a share"
	default:
		s.LeftOut = fmt.Sprintf("it lies within %d frames of a unit of another dataset (SHUFFLE_GUARD)", a.Guard)
	}
	return s
}

// change says where the frame stands, where it should, and what the next plan does.
func (x *explainer) change(in EpisodeInput) {
	f, layout := x.out.Frame, x.p.Config.Layout
	copyAt := func(p dataset.Place, etag string) why.Copy {
		return why.Copy{Object: why.Object{Key: layout.Key(p, f), ETag: etag}, Dataset: p.Dataset, Class: p.Class}
	}
	for _, c := range in.Standing[f] {
		one := copyAt(c.Place, c.ETag)
		one.Current = x.out.Source.ETag != "" && in.Same(c.ETag, x.out.Source.ETag)
		x.out.Stands = append(x.out.Stands, one)
	}
	if x.out.Held != "" {
		return
	}
	p := newEpisodePlanner(in)
	p.frames() // takes in the sheet's rows
	w := p.wish(f)
	if w.Place != nil {
		wanted := copyAt(*w.Place, w.ETag)
		wanted.Current = true
		x.out.Wanted = &wanted
	}
	switch c := Decide(w, in.Standing[f], in.Same); {
	case c.Frozen:
		x.out.Frozen = "its class cannot be known"
		if p.rowless > 0 {
			x.out.Frozen = "no row has its name, and the sheet has rows whose frame names cannot be used: one may be its own"
		}
		if len(x.out.Problems) > 0 {
			x.out.Frozen = x.out.Problems[0].Problem
		}
	case c.Keep:
		x.out.Change = "keep"
	default:
		x.out.Change = string(c.Op)
	}
}
