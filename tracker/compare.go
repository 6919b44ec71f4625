package tracker

import (
	"cmp"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// copies are the pairs of ETags that the run's results reported, by the key that was written.
type copies map[string][]state.Pair

// compare returns the differences between the expected frames of an episode and the listed rows, by
// frame. It sets the SrcETag of a row that is expected. The rows have the order of dataset.Image.
//
//	expected at K | found at K         | unexpected elsewhere | difference
//	--------------+--------------------+----------------------+---------------------------------
//	yes           | yes, right content | no                   | none
//	yes           | yes, other content | no                   | content
//	yes           | no                 | at P                 | misplaced: at P instead of K
//	yes           | no                 | no                   | missing
//	no            | –                  | at P                 | unexpected, for every P that is
//	              |                    |                      | not reported as misplaced
//
// Right content is the planned ETag, or one that a result reported of the copy to that key: where
// the source changed after the plan, or the copy has an ETag of its own.
func compare(l dataset.Layout, e dataset.Episode, expected []state.Expected, rows []version.Row, reported copies) []state.Difference {
	slices.SortFunc(expected, func(a, b state.Expected) int {
		return cmp.Or(strings.Compare(string(a.Frame), string(b.Frame)), a.Place.Compare(b.Place))
	})
	var all []state.Difference
	for len(expected) > 0 || len(rows) > 0 {
		f := firstFrame(expected, rows)
		n := countLeading(expected, func(x state.Expected) bool { return x.Frame == f })
		m := countLeading(rows, func(r version.Row) bool { return r.Frame == f })
		if n == 1 && m == 1 && isExpected(l, expected[0], &rows[0], reported) {
			expected, rows = expected[1:], rows[1:] // nearly all
			continue
		}
		for _, d := range compareFrame(l, expected[:n], rows[:m], reported) {
			d.Episode, d.Frame = e, f
			all = append(all, d)
		}
		expected, rows = expected[n:], rows[m:]
	}
	return all
}

func firstFrame(expected []state.Expected, rows []version.Row) dataset.Frame {
	switch {
	case len(expected) == 0:
		return rows[0].Frame
	case len(rows) == 0:
		return expected[0].Frame
	}
	return min(expected[0].Frame, rows[0].Frame)
}

// countLeading counts the values at the beginning that fit.
func countLeading[T any](all []T, fits func(T) bool) int {
	n := slices.IndexFunc(all, func(v T) bool { return !fits(v) })
	if n < 0 {
		return len(all)
	}
	return n
}

// isExpected reports whether the row is the expected one, and if so sets its SrcETag.
func isExpected(l dataset.Layout, x state.Expected, row *version.Row, reported copies) bool {
	if x.Place != row.Place {
		return false
	}
	if x.Copied {
		for _, pair := range reported[l.Key(x.Place, x.Frame)] {
			if pair.ETag == row.ETag {
				row.SrcETag = pair.SrcETag
				return true
			}
		}
	}
	if row.ETag != x.ETag {
		return false
	}
	row.SrcETag = cmp.Or(x.SrcETag, x.ETag)
	return true
}

// compareFrame compares one frame.
func compareFrame(l dataset.Layout, expected []state.Expected, rows []version.Row, reported copies) []state.Difference {
	var all []state.Difference
	var extra []string // keys that should not exist
	for i := range rows {
		at := slices.IndexFunc(expected, func(x state.Expected) bool { return x.Place == rows[i].Place })
		key := keyOf(rows[i].Place, rows[i].Frame)
		switch {
		case at < 0:
			extra = append(extra, key)
		case !isExpected(l, expected[at], &rows[i], reported):
			all = append(all, state.Difference{Kind: state.Content, Key: key, Want: expected[at].ETag, Found: rows[i].ETag})
		}
	}
	for _, x := range expected {
		if slices.ContainsFunc(rows, func(r version.Row) bool { return r.Place == x.Place }) {
			continue
		}
		d := state.Difference{Kind: state.Missing, Key: keyOf(x.Place, x.Frame)}
		if len(extra) > 0 {
			d.Kind, d.Found = state.Misplaced, extra[0]
			extra = extra[1:]
		}
		all = append(all, d)
	}
	for _, key := range extra {
		all = append(all, state.Difference{Kind: state.Unexpected, Key: key})
	}
	return all
}

// keyOf is a frame's key relative to <prefix>/ML/.
func keyOf(p dataset.Place, f dataset.Frame) string {
	return strings.TrimPrefix(dataset.Layout{}.Key(p, f), dataset.Layout{}.ML())
}

// expectedRows are the rows of a version as expected frames.
func expectedRows(rows []version.Row) []state.Expected {
	all := make([]state.Expected, len(rows))
	for i, r := range rows {
		all[i] = state.Expected{Place: r.Place, Frame: r.Frame, ETag: r.ETag, SrcETag: r.SrcETag}
	}
	return all
}

// versionRows are the images as rows whose sources are unknown.
func versionRows(images []dataset.Image) []version.Row {
	rows := make([]version.Row, len(images))
	for i, image := range images {
		rows[i] = version.Row{Place: image.Place, Frame: image.Frame, ETag: image.ETag}
	}
	return rows
}
