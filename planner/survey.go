package planner

import (
	"context"
	"fmt"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
)

// Survey reads what the sheet and the listings say of each frame of an episode, and writes nothing. What is wrong with the sheet or
// its images is in the survey's Held; only what keeps the datasets from being listed is an error.
func (p *Planner) Survey(ctx context.Context, e dataset.Episode) (*inventory.Survey, error) {
	d := p.draft(Options{DryRun: true, Recorded: true})
	var err error
	if d.names, err = d.catalog(ctx); err != nil {
		return nil, err
	}
	if _, err := d.header(ctx); err != nil {
		return nil, err
	}
	if err := d.readBases(ctx); err != nil {
		return nil, err
	}
	in := EpisodeInput{Episode: e, Layout: p.Config.Layout, Assign: d.assign}
	out := &inventory.Survey{Episode: e}
	var values sheet.Values
	if s, at := d.names.find(e); at < 0 {
		err = d.names.unnamed(e)
	} else {
		entry := s.episodes[at]
		out.Sheet = entry.URL
		if values, err = d.worksheet(ctx, entry); err == nil {
			in.Sheet, err = d.readSheet(entry, values)
		}
		if err == nil {
			var images dataset.Images
			images, err = d.images(ctx, entry, in.Sheet)
			in.Images, in.Unusable, in.Beside = images.ETags, images.Unusable, images.Beside
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		out.Held = err.Error()
	}
	if in.Standing, err = d.standing(ctx, e, d.folders()); err != nil {
		return nil, err
	}
	out.Base = in.Sheet.Base
	in.survey(out, cellsOf(in.Sheet.Header, values, d.chosen.Classes))
	return out, nil
}

// cellsOf are what the columns say, by row: a class in the spelling of the datasets, or what is typed.
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

// survey fills in the frames: those of the sheet, those that stand, and the images without a row.
func (in EpisodeInput) survey(out *inventory.Survey, cells func(row int) [inventory.Columns]string) {
	p := newEpisodePlanner(in)
	all := p.frames()
	planned := len(all) // the rest have only an image, which no plan looks at
	for f := range in.Images {
		if _, named := p.rows[f]; !named && len(in.Standing[f]) == 0 {
			all = append(all, f)
		}
	}
	p.out.Problems = convert(in.Sheet.Problems)
	out.Frames = make([]inventory.Seen, 0, len(all))
	for i, f := range all {
		row := p.rows[f]
		seen := inventory.Seen{Frame: f, Row: row.Row, Cells: cells(row.Row), Class: row.Class, Image: in.Images[f]}
		seen.Frozen = out.Held == "" && i < planned && p.wish(f).Frozen
		for _, c := range in.Standing[f] {
			seen.Stands = append(seen.Stands, c.Place)
		}
		out.Frames = append(out.Frames, seen)
	}
	out.Problems = slices.Clip(p.out.Problems)
	if p.rowless > 0 {
		out.Problems = append(out.Problems, state.Problem{Problem: fmt.Sprintf("frames without a row (%d) are left as they stand: rows without a usable frame name (%d) may be theirs", p.rowless, in.Sheet.Unread)})
	}
}

// AssignerOf makes the assigner of a definition. season are the frames with a class of the season, which a stratified split is drawn
// from, and standing is where the frames of an episode stand, for pins.
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

// Explain says how a frame comes to its dataset.
func (a *Assigner) Explain(f dataset.Frame) why.Split {
	s := placeOf(a, f)
	s.Seed, s.Stratified = a.Seed, a.strata != nil
	return s
}
