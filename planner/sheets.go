package planner

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/manifest"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// sheet reads the episode's worksheet. Its error holds the episode.
func (d *draft) sheet(ctx context.Context, e manifest.Entry) (rows.Sheet, error) {
	if e.Err != nil {
		return rows.Sheet{}, e.Err
	}
	values, err := d.p.Sheets.Values(ctx, e.SpreadsheetID, e.GID)
	if err != nil {
		return rows.Sheet{}, &unreadError{name: cmp.Or(e.Title, e.SpreadsheetID), err: err}
	}
	cfg := &d.p.Config
	values.Title = cmp.Or(values.Title, e.Title)
	return rows.Read(values, rows.Options{
		Episode: e.Episode, BucketNames: cfg.BucketNames, Prefix: cfg.Layout.Prefix,
		ImageSize: cfg.ImageSize, Classes: cfg.Classes, MaxBad: cfg.MaxBadRows,
	})
}

// unreadError says that a sheet could not be read at all.
type unreadError struct {
	name string
	err  error
}

func (e *unreadError) Error() string { return fmt.Sprintf("sheet %.80q: %v", e.name, e.err) }
func (e *unreadError) Unwrap() error { return e.err }

// problemsOf are the problems of the rows that were read before the sheet as a whole was refused.
func problemsOf(err error) []state.Problem {
	var held *rows.HeldError
	if !errors.As(err, &held) {
		return nil
	}
	return convert(held.Problems)
}

func convert(problems []rows.Problem) []state.Problem {
	all := make([]state.Problem, len(problems))
	for i, p := range problems {
		all[i] = state.Problem(p)
	}
	return all
}
