package planner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// lastVersion reads the newest dataset version, once and only when somebody asks. It is empty where there is none.
type lastVersion struct {
	store *state.Store

	once    sync.Once
	version state.Version
	err     error
}

func (l *lastVersion) get(ctx context.Context) (state.Version, error) {
	l.once.Do(func() {
		if l.version, l.err = l.store.LatestVersion(ctx); errors.Is(l.err, bucket.ErrNotFound) {
			l.err = nil
		}
	})
	return l.version, l.err
}

// knownPairs reads, once and only when somebody asks, which copies have which source's content although their ETags differ: from the
// latest dataset version, and from the runs since, which may have failed without one.
type knownPairs struct {
	store *state.Store
	last  *lastVersion

	once  sync.Once
	pairs map[state.Pair]struct{}
	err   error
}

func (k *knownPairs) get(ctx context.Context) (map[state.Pair]struct{}, error) {
	k.once.Do(func() {
		k.pairs = map[state.Pair]struct{}{}
		if k.err = k.read(ctx); k.err != nil {
			k.err = fmt.Errorf("read the pairs of ETags of earlier copies: %w", k.err)
		}
	})
	return k.pairs, k.err
}

func (k *knownPairs) read(ctx context.Context) error {
	latest, err := k.last.get(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(latest.Counts)) {
		rows, err := version.ReadRows(ctx, k.store, latest.Generation, name)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.SrcETag != "" && r.SrcETag != r.ETag {
				k.pairs[state.Pair{ETag: r.ETag, SrcETag: r.SrcETag}] = struct{}{}
			}
		}
	}
	return k.since(ctx, latest.Generation)
}

// since adds what the results of later runs told.
func (k *knownPairs) since(ctx context.Context, generation int64) error {
	runs, err := k.store.Runs(ctx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if n := state.GenerationOf(run); n > 0 && n <= generation {
			continue
		}
		pairs, err := k.store.Pairs(ctx, run)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			k.pairs[p] = struct{}{}
		}
	}
	return nil
}

// same compares a copy's content with its source's: by ETag, or else by what is known of the copy.
func (d *draft) same(ctx context.Context, in *EpisodeInput) error {
	in.Same = sameETag
	if !differs(in) {
		return nil
	}
	known, err := d.known.get(ctx)
	if err != nil {
		return err
	}
	in.Same = func(copyETag, srcETag string) bool {
		_, ok := known[state.Pair{ETag: copyETag, SrcETag: srcETag}]
		return ok || sameETag(copyETag, srcETag)
	}
	return nil
}

func sameETag(copyETag, srcETag string) bool { return copyETag == srcETag }

func differs(in *EpisodeInput) bool {
	for f, copies := range in.Standing {
		etag, ok := in.Images[f]
		for _, c := range copies {
			if ok && etag != c.ETag {
				return true
			}
		}
	}
	return false
}
