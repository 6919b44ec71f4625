package planner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/manifest"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
)

// Explain returns why a frame is in its dataset and what the next plan would do with it. It reads
// what a plan of the frame's episode reads, and writes nothing.
func (p *Planner) Explain(ctx context.Context, f dataset.Frame) (*why.Explanation, error) {
	in, err := p.readInputs(ctx, Options{DryRun: true, Recorded: true}, nil)
	if err != nil {
		return nil, err
	}
	assign, err := newAssigner(in.chosen.Definition)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var background errgroup.Group
	defer func() { cancel(); _ = background.Wait() }()
	settings := in.header(assign.Split, state.Pointer{}).Settings
	c, err := in.compare(ctx, &background, assign, settings.Listed, nil)
	if err != nil {
		return nil, err
	}
	read, err := c.readFrame(ctx, f)
	if err != nil {
		return nil, err
	}
	out := read.explain(f)
	out.Split.Seed, out.Split.Stratified = in.chosen.inForce.Settings.Seed, settings.Stratify
	return out, nil
}

// frameReading is the result of reading a frame's episode. readFrame sets every field.
type frameReading struct {
	entry    manifest.Entry // the zero entry when no readable manifest names the episode
	values   sheet.Values   // the cells of the episode's sheet that could be read
	in       EpisodeInput
	problems []state.Problem
	held     string // why a plan would hold the episode; "" when it would not
	unknown  bool   // neither the manifests nor the datasets have the episode
}

// readFrame reads what the plan of a frame's episode depends on. A reason to hold the episode is
// not an error of readFrame.
func (c *comparison) readFrame(ctx context.Context, f dataset.Frame) (r frameReading, err error) {
	r.in = c.episodeInput(f.Episode(), c.assign)
	var holds error
	s, at := c.names.find(f.Episode())
	if at >= 0 {
		r.entry = s.episodes[at]
		holds = c.readEpisode(ctx, s, &r)
	}
	if ctx.Err() != nil {
		return r, context.Cause(ctx)
	}
	if r.in.Standing == nil { // an error before the listing held the episode
		if r.in.Standing, err = c.standing(ctx, f.Episode()); err != nil {
			return r, err
		}
	}
	if at < 0 {
		holds, r.unknown = c.names.unnamed(f.Episode(), len(r.in.Standing) > 0)
	}
	if holds != nil {
		r.held = holds.Error()
	}
	r.in.Assign = r.in.Assign.pin(r.in.Standing)
	return r, nil
}

// readEpisode reads the episode of r.entry. Its error holds the episode.
func (c *comparison) readEpisode(ctx context.Context, s season, r *frameReading) error {
	var unread error
	r.values, unread = c.worksheet(ctx, r.entry)
	read := func(ctx context.Context, e manifest.Entry) (rows.Sheet, error) {
		switch {
		case e.Episode != r.entry.Episode:
			return c.sheet(ctx, e)
		case unread != nil:
			return rows.Sheet{}, unread
		}
		return c.parse(e, r.values)
	}
	assign := *c.assign
	if c.chosen.Stratify {
		labels, kept, err := c.labels(ctx, s, read)
		if err != nil {
			return err
		}
		assign.Stratify(labels)
		read = kept
	}
	var err error
	r.in, err = c.read(ctx, r.entry, &assign, read)
	r.problems = convert(r.in.Sheet.Problems)
	if err != nil {
		return err
	}
	out := PlanEpisode(r.in)
	r.problems = append(r.problems, out.Problems...)
	if out.Held != "" {
		return errors.New(out.Held)
	}
	return nil
}

// explain makes the explanation. It is a pure function of r.
func (r frameReading) explain(f dataset.Frame) *why.Explanation {
	out := &why.Explanation{
		Frame: f, Episode: f.Episode(), Rows: []why.Row{}, Stands: []why.Copy{}, Problems: []state.Problem{}, Operations: []why.Operation{},
		Sheet: why.Sheet{Title: cmp.Or(r.values.Title, r.entry.Title), URL: r.entry.URL}, Held: r.held, Unknown: r.unknown, Split: placeOf(r.in.Assign, f),
	}
	for _, p := range r.problems {
		if p.Frame == string(f) && !slices.Contains(out.Problems, p) {
			out.Problems = append(out.Problems, p)
		}
	}
	r.explainRows(out)
	if r.in.Sheet.Base != "" {
		out.Source = why.Object{Key: r.in.Sheet.Base + f.File(), ETag: r.in.Images[f]}
	}
	r.explainChange(out)
	return out
}

// find returns the season of the episode and its index there. The index is -1 when no readable
// manifest names the episode.
func (c *catalog) find(e dataset.Episode) (season, int) {
	for _, s := range c.seasons() {
		if i := slices.IndexFunc(s.episodes, func(entry manifest.Entry) bool { return entry.Episode == e }); i >= 0 {
			return s, i
		}
	}
	return season{}, -1
}

// unnamed returns why an episode is not planned at all. stands reports whether the datasets have
// frames of the episode. Without any, the episode is unknown.
func (c *catalog) unnamed(e dataset.Episode, stands bool) (reason error, unknown bool) {
	var misnamed []string // the manifests that are not read because of their names
	for _, p := range c.problems {
		switch code, ok := manifest.SeasonOf(p.Manifest); {
		case !ok:
			misnamed = append(misnamed, p.Manifest)
		case code == e.Season():
			return fmt.Errorf("the manifest %s: %s", p.Manifest, p.Problem), false
		}
	}
	if len(misnamed) > 0 {
		return fmt.Errorf("no manifest names %s, unless one that is not read does: %.200q, expected a name such as %s-episodes.json", e, misnamed, e.Season()), !stands
	}
	if !stands {
		return fmt.Errorf("no manifest names the episode %s, and no frame of it is in the datasets", e), true
	}
	return fmt.Errorf("no manifest names %s: its frames in the datasets are orphans, and are left alone (shuffle plan --prune %s deletes them)", e, e), false
}

// explainRows finds the rows of the frame, also in a sheet that holds its episode.
func (r frameReading) explainRows(out *why.Explanation) {
	s := r.in.Sheet
	for _, row := range s.Rows {
		if row.Frame == out.Frame {
			out.Class = row.Class
		}
	}
	if s.Header == (rows.Header{}) {
		return
	}
	for i, row := range r.values.Rows[1:] {
		cells := s.Header.Cells(row)
		if named, err := rows.ParseFrame(cells.Frame); err != nil || named != out.Frame {
			continue
		}
		_, column := rows.Decide(s.Header, row)
		out.Rows = append(out.Rows, why.Row{
			Row: i + 2, Jonny: cells.Jonny, Supervised: cells.Supervised, Unsupervised: cells.Unsupervised, Deciding: column})
	}
}

// placeOf explains how the assigner chooses the dataset of a frame.
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

// explainChange adds the copies of the frame, the place where it should be, and the next change.
func (r frameReading) explainChange(out *why.Explanation) {
	in, f := r.in, out.Frame
	copyAt := func(p dataset.Place, etag string) why.Copy {
		return why.Copy{Object: why.Object{Key: in.Layout.Key(p, f), ETag: etag}, Dataset: p.Dataset, Class: p.Class}
	}
	for _, c := range in.Standing[f] {
		one := copyAt(c.Place, c.ETag)
		one.Current = out.Source.ETag != "" && in.Same(c.ETag, out.Source.ETag)
		out.Stands = append(out.Stands, one)
	}
	if out.Held != "" {
		return
	}
	p := newEpisodePlanner(in)
	p.frames() // fills p.rows from the sheet
	w := p.wish(f)
	if w.Place != nil {
		wanted := copyAt(*w.Place, w.ETag)
		wanted.Current = true
		out.Wanted = &wanted
	}
	switch c := Decide(w, in.Standing[f], in.Same); {
	case c.Frozen:
		out.Frozen = "its class cannot be known"
		if p.rowless > 0 {
			out.Frozen = "no row has its name, and the sheet has rows whose frame names cannot be used: one may be its own"
		}
		if len(out.Problems) > 0 {
			out.Frozen = out.Problems[0].Problem
		}
	case c.Keep:
		out.Change = "keep"
	default:
		out.Change = string(c.Op)
	}
}
