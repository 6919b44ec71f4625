package dashboard

import (
	"context"
	"maps"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/versions"
)

// episodeRows reads the images of one episode of a version. A version's rows are kept by dataset, so all of them are read, one
// dataset at a time.
func episodeRows(ctx context.Context, s *state.Store, v state.Version, e dataset.Episode) (rows []state.VersionRow, err error) {
	for _, name := range slices.Sorted(maps.Keys(v.Counts)) {
		all, err := versions.DatasetRows(ctx, s, v, name)
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			if r.Frame.Episode() == e {
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}

// between compares two versions episode by episode. An episode with the same digest in both is the same, and is not read.
func between(ctx context.Context, s *state.Store, from, to state.Version) (versions.Diff, error) {
	sum := versions.Diff{From: from.Generation, To: to.Generation, Totals: map[versions.Kind]int{}}
	for _, k := range versions.Kinds {
		sum.Totals[k] = 0
	}
	relabelled := map[[2]string]int{}
	for _, e := range changedEpisodes(from, to) {
		before, err := episodeRows(ctx, s, from, e)
		if err != nil {
			return sum, err
		}
		after, err := episodeRows(ctx, s, to, e)
		if err != nil {
			return sum, err
		}
		d := versions.Compare(before, after)
		for k, n := range d.Totals {
			sum.Totals[k] += n
		}
		for _, r := range d.Relabellings {
			relabelled[[2]string{r.From, r.To}] += r.Frames
		}
		sum.Changes = append(sum.Changes, d.Changes...)
	}
	for pair, n := range relabelled {
		sum.Relabellings = append(sum.Relabellings, versions.Relabelling{From: pair[0], To: pair[1], Frames: n})
	}
	sum.Same = to.Frames - sum.Totals[versions.Added] - sum.Totals[versions.Relabelled] - sum.Totals[versions.Moved] - sum.Totals[versions.Refreshed]
	if from.Generation == 0 { // before there was any
		return sum, nil
	}
	sum.Settings = from.Definition.ChangesTo(to.Definition)
	sum.ClassNumbers = state.ClassNumberChanges(from.ClassNames(), to.ClassNames())
	return sum, nil
}

// changedEpisodes are those whose listings differ between two versions, in order.
func changedEpisodes(from, to state.Version) (changed []dataset.Episode) {
	for e, digest := range from.Digests {
		if to.Digests[e] != digest {
			changed = append(changed, e)
		}
	}
	for e := range to.Digests {
		if _, had := from.Digests[e]; !had {
			changed = append(changed, e)
		}
	}
	slices.Sort(changed)
	return changed
}
