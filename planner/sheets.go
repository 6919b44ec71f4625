package planner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/manifest"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// reader reads the sheets and the images of episodes. inputs.compare sets every field.
type reader struct {
	inputs
	bases map[dataset.Episode]string // image folders of the newest version; empty for a restore
	known *knownPairs
}

// sheet reads the episode's worksheet. Its error holds the episode.
func (r *reader) sheet(ctx context.Context, e manifest.Entry) (rows.Sheet, error) {
	values, err := r.worksheet(ctx, e)
	if err != nil {
		return rows.Sheet{}, err
	}
	return r.parse(e, values)
}

func (r *reader) worksheet(ctx context.Context, e manifest.Entry) (sheet.Values, error) {
	if e.Err != nil {
		return sheet.Values{}, e.Err
	}
	values, err := r.p.Sheets.Values(ctx, e.SpreadsheetID, e.GID)
	if err != nil {
		return sheet.Values{}, &unreadError{name: nameOf(e), err: err}
	}
	values.Title = cmp.Or(values.Title, e.Title)
	return values, nil
}

// parse reads the rows of a worksheet. Its error holds the episode.
func (r *reader) parse(e manifest.Entry, values sheet.Values) (rows.Sheet, error) {
	cfg := &r.p.Config
	s, err := rows.Read(values, rows.Options{
		Episode: e.Episode, BucketNames: cfg.BucketNames, Prefix: cfg.Layout.Prefix,
		ImageSize: cfg.ImageSize, Classes: r.chosen.Classes, MaxBad: cfg.MaxBadRows,
	})
	if last := r.bases[e.Episode]; err == nil && last != "" && last != s.Base && !slices.Contains(r.opt.AcceptBase, e.Episode) {
		which := ""
		if s.Base == rows.DefaultBase(cfg.Layout.Prefix, e.Episode, cfg.ImageSize) {
			which = ", the default folder"
		}
		err = &baseError{fmt.Sprintf("sheet %.80q: expected the images under %s, as in the last run (version %d), found the base URI of %s%s; if they have moved, plan with --accept-base %s",
			values.Title, last, r.latest.version.Generation, s.Base, which, e.Episode)}
	}
	return s, err
}

// baseError holds an episode when the folder of its images has changed. Otherwise a lost or wrong
// base URI would replace every image.
type baseError struct{ text string }

func (e *baseError) Error() string { return e.text }

// images lists the images that a sheet refers to. Its error holds the episode.
func (r *reader) images(ctx context.Context, e manifest.Entry, s rows.Sheet) (dataset.Images, error) {
	images, err := dataset.Source(ctx, r.lister, s.Base, e.Episode)
	if errors.Is(err, dataset.ErrNoImages) {
		return images, &unreadError{name: nameOf(e), err: fmt.Errorf("%w: is that its base URI?", missingImages(images, e.Episode, s.Base))}
	}
	lacks := func(r rows.Row) bool { // has neither an image nor an unusable object
		return r.Class != "" && images.ETags[r.Frame] == "" && images.Unusable[r.Frame] == ""
	}
	if err == nil && slices.ContainsFunc(s.Rows, lacks) {
		err = images.AddOtherCases(ctx, r.lister, s.Base, e.Episode)
	}
	return images, err
}

// missingImages describes what the listing found instead of images.
func missingImages(images dataset.Images, e dataset.Episode, base string) error {
	if summary := images.Summary(); summary != "" {
		return fmt.Errorf("expected images of %s under %s, found none that can be copied (%s)", e, base, summary)
	}
	return fmt.Errorf("expected images of %s under %s, found none", e, base)
}

// nameOf returns the name of the sheet for people.
func nameOf(e manifest.Entry) string { return cmp.Or(e.Title, e.SpreadsheetID) }

// unreadError reports that a sheet or its images could not be read at all.
type unreadError struct {
	name string
	err  error
}

func (e *unreadError) Error() string { return fmt.Sprintf("sheet %.80q: %v", e.name, e.err) }
func (e *unreadError) Unwrap() error { return e.err }

// causeOf returns the kind of an error that holds an episode.
func causeOf(err error) state.Cause {
	var base *baseError
	if errors.As(err, &base) {
		return state.CauseBase
	}
	var refused *bucket.Error
	if errors.As(err, &refused) || errors.Is(err, sheet.ErrUnavailable) {
		return state.CauseService
	}
	return state.CauseInput
}

func convert(problems []rows.Problem) []state.Problem {
	all := make([]state.Problem, len(problems))
	for i, p := range problems {
		all[i] = state.Problem{Row: p.Row, Frame: p.Frame, Problem: p.Problem, Warning: p.Warning, Kind: p.Kind, Value: p.Value, Column: p.Column}
	}
	return all
}
