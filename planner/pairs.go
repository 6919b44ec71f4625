package planner

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// lastVersion reads the newest dataset version, once and only when it is needed. It is empty where there is none.
type lastVersion struct {
	store *state.Store

	mu      sync.Mutex
	read    bool
	version state.Version
}

func (l *lastVersion) get(ctx context.Context) (state.Version, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.read {
		return l.version, nil
	}
	v, err := l.store.LatestVersion(ctx)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		return v, err
	}
	l.version, l.read = v, true
	return v, nil
}

// knownPairs reads, only when it is needed, which copies have which source's content although their ETags differ: from the
// latest dataset version, an episode at a time, and from the runs since, which may have failed without one.
type knownPairs struct {
	store *state.Store
	last  *lastVersion

	once   sync.Once
	rows   *version.Contents // nil: there is no version
	since  map[uint64]struct{}
	seed   maphash.Seed
	failed error
}

func newKnownPairs(store *state.Store, last *lastVersion) *knownPairs {
	return &knownPairs{store: store, last: last, since: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
}

// of gives the pairs of an episode, and those of later runs.
func (k *knownPairs) of(ctx context.Context, e dataset.Episode) (func(state.Pair) bool, error) {
	known, err := k.read(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("read the pairs of ETags of earlier copies: %w", err)
	}
	return func(p state.Pair) bool {
		_, ok := known[p]
		if !ok {
			_, ok = k.since[maphash.Comparable(k.seed, p)]
		}
		return ok
	}, nil
}

func (k *knownPairs) read(ctx context.Context, e dataset.Episode) (map[state.Pair]struct{}, error) {
	k.once.Do(func() { k.failed = k.begin(ctx) })
	if k.failed != nil || k.rows == nil {
		return nil, k.failed
	}
	rows, err := k.rows.Rows(ctx, e)
	known := map[state.Pair]struct{}{}
	for _, r := range rows {
		if r.SrcETag != "" && r.SrcETag != r.ETag {
			known[state.Pair{ETag: r.ETag, SrcETag: r.SrcETag}] = struct{}{}
		}
	}
	return known, err
}

// begin opens the version, and reads what the results of later runs gave. Of these only hashes are kept: a bucket with KMS
// gives a pair for every task of a run.
func (k *knownPairs) begin(ctx context.Context) error {
	latest, err := k.last.get(ctx)
	if err != nil {
		return err
	}
	if latest.Generation > 0 {
		if k.rows, err = version.Open(ctx, k.store, latest); err != nil {
			return err
		}
	}
	runs, err := k.store.Runs(ctx)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if n := state.GenerationOf(run); n > 0 && n <= latest.Generation {
			continue
		}
		err := k.store.EachPair(ctx, run, func(p state.Pair) error {
			k.since[maphash.Comparable(k.seed, p)] = struct{}{}
			return nil
		})
		if err != nil {
			return err
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
	known, err := d.known.of(ctx, in.Episode)
	if err != nil {
		return err
	}
	in.Same = func(copyETag, srcETag string) bool {
		return sameETag(copyETag, srcETag) || known(state.Pair{ETag: copyETag, SrcETag: srcETag})
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
