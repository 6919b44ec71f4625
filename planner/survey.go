package planner

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
)

// Survey reads the data of each frame of an episode from the sheet and the listings, and writes
// nothing. Held is the reason if the sheet or its images cannot be used. Survey returns an error
// only if something prevents the listing of the datasets.
func (p *Planner) Survey(ctx context.Context, e dataset.Episode) (*inventory.Survey, error) {
	inputs, err := p.readInputs(ctx, Options{DryRun: true, Recorded: true}, nil)
	if err != nil {
		return nil, err
	}
	assign, err := newAssigner(inputs.chosen.Definition)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var background errgroup.Group
	defer func() { cancel(); _ = background.Wait() }()
	c, err := inputs.compare(ctx, &background, assign, inputs.header(assign.Split, state.Pointer{}).Settings.Listed, nil)
	if err != nil {
		return nil, err
	}
	return c.survey(ctx, e)
}

func (c *comparison) survey(ctx context.Context, e dataset.Episode) (*inventory.Survey, error) {
	in, out := c.episodeInput(e, c.assign), &inventory.Survey{Episode: e}
	var values sheet.Values
	var holds, err error
	season, at := c.names.find(e)
	if at >= 0 {
		entry := season.episodes[at]
		out.Sheet = entry.URL
		if values, holds = c.worksheet(ctx, entry); holds == nil {
			in.Sheet, holds = c.parse(entry, values)
		}
		if holds == nil {
			var images dataset.Images
			images, holds = c.images(ctx, entry, in.Sheet)
			in.Images, in.Unusable, in.Beside = images.ETags, images.Unusable, images.Beside
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if in.Standing, err = c.standing(ctx, e); err != nil {
		return nil, err
	}
	if at < 0 {
		holds, _ = c.names.unnamed(e, len(in.Standing) > 0)
	}
	out.Problems = convert(in.Sheet.Problems)
	if holds == nil {
		out.Problems = Problems(in)
	} else {
		out.Held = holds.Error()
	}
	out.Base = in.Sheet.Base
	in.survey(out, cellsOf(in.Sheet.Header, values, c.chosen.Classes))
	return out, nil
}

// cellsOf returns a function of the row that returns its cells. A known class has the spelling of
// the datasets. Any other text is unchanged.
func cellsOf(h rows.Header, values sheet.Values, classes []string) func(row int) [inventory.Columns]string {
	return func(row int) (cells [inventory.Columns]string) {
		if row < 1 || row > len(values.Rows) {
			return cells
		}
		typed := h.Cells(values.Rows[row-1])
		for c, text := range map[inventory.Column]string{inventory.Unsupervised: typed.Unsupervised, inventory.Supervised: typed.Supervised, inventory.Jonny: typed.Jonny} {
			cells[c] = text
			if class, known := rows.ClassOf(classes, text); known {
				cells[c] = class
			}
		}
		return cells
	}
}

// survey adds the frames of the sheet, the frames that have copies, and the images without a row.
func (in EpisodeInput) survey(out *inventory.Survey, cells func(row int) [inventory.Columns]string) {
	p := newEpisodePlanner(in)
	all := p.frames()
	planned := len(all) // the other frames have only an image, and no plan uses them
	for f := range in.Images {
		if _, named := p.rows[f]; !named && len(in.Standing[f]) == 0 {
			all = append(all, f)
		}
	}
	out.Frames = make([]inventory.SurveyFrame, 0, len(all))
	for i, f := range all {
		row, _ := p.row(f)
		seen := inventory.SurveyFrame{Frame: f, Row: row.Row, Cells: cells(row.Row), Class: row.Class, Image: in.Images[f]}
		seen.Frozen = out.Held == "" && i < planned && p.wish(f).Frozen
		for _, c := range in.Standing[f] {
			seen.Stands = append(seen.Stands, c.Place)
		}
		out.Frames = append(out.Frames, seen)
	}
}

// AssignerOf returns the assigner of a definition. season are the frames of the season that have a
// class; a stratified split depends on them. standing has the copies of the frames of an episode,
// for pins.
func AssignerOf(d state.Definition, season []Labelled, standing dataset.Standing) (*Assigner, error) {
	a, err := newAssigner(d)
	if err != nil {
		return nil, err
	}
	if d.Stratify {
		a.Stratify(season)
	}
	return a.pin(standing), nil
}

// Explain explains how the assigner chooses the dataset of a frame.
func (a *Assigner) Explain(f dataset.Frame) why.Split {
	s := placeOf(a, f)
	s.Seed, s.Stratified = a.Seed, a.strata != nil
	return s
}
