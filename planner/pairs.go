package planner

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
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

// knownPairs reads, only when it is needed, which copies have which source's content although their
// ETags differ: from the latest dataset version, an episode at a time, and from the runs since, which
// may have failed without one. A version that was made after a person had deleted the ones before it
// does not know all sources. Then the runs before it are read too.
type knownPairs struct {
	store *state.Store
	last  *lastVersion

	begin  func(context.Context) error
	rows   *version.Contents // nil: there is no version
	since  pairSet           // of the runs after the version
	older  func(context.Context) (pairSet, error)
	before []string // the runs before the version, the newest first
}

// olderRuns bounds the runs that are read for what no dataset version knows.
const olderRuns = 200

func newKnownPairs(store *state.Store, last *lastVersion) *knownPairs {
	k := &knownPairs{store: store, last: last, since: newPairSet()}
	var once, oldOnce sync.Once
	var failed, oldFailed error
	k.begin = func(ctx context.Context) error {
		once.Do(func() { failed = k.open(ctx) })
		return failed
	}
	old := newPairSet()
	k.older = func(ctx context.Context) (pairSet, error) {
		oldOnce.Do(func() { oldFailed = k.addRuns(ctx, old, k.before) })
		return old, oldFailed
	}
	return k
}

// open opens the version, and reads what the results of later runs gave.
func (k *knownPairs) open(ctx context.Context) error {
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
	var since []string
	for _, run := range slices.Backward(runs) {
		if n := state.GenerationOf(run); n > 0 && n <= latest.Generation {
			k.before = append(k.before, run)
		} else {
			since = append(since, run)
		}
	}
	k.before = k.before[:min(len(k.before), olderRuns)]
	return k.addRuns(ctx, k.since, since)
}

func (k *knownPairs) addRuns(ctx context.Context, to pairSet, runs []string) error {
	for _, run := range runs {
		err := k.store.EachPair(ctx, run, func(p state.Pair) error {
			to.add(p)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// of reads the pairs of an episode's copies.
func (k *knownPairs) of(ctx context.Context, e dataset.Episode) (episodePairs, error) {
	pairs, err := k.read(ctx, e)
	if err != nil {
		err = fmt.Errorf("read the pairs of ETags of earlier copies: %w", err)
	}
	return pairs, err
}

func (k *knownPairs) read(ctx context.Context, e dataset.Episode) (episodePairs, error) {
	if err := k.begin(ctx); err != nil {
		return nil, err
	}
	if k.rows == nil {
		return episodePairs{k.since}, nil
	}
	rows, err := k.rows.Rows(ctx, e)
	if err != nil {
		return nil, err
	}
	ofVersion, complete := newPairSet(), true
	for _, r := range rows {
		if r.SrcETag == "" {
			complete = false
			continue
		}
		ofVersion.add(state.Pair{ETag: r.ETag, SrcETag: r.SrcETag})
	}
	pairs := episodePairs{ofVersion, k.since}
	if !complete {
		older, err := k.older(ctx)
		return append(pairs, older), err
	}
	return pairs, nil
}

// pairSet is a set of pairs, and of the copies in them. It has hashes, since a bucket with KMS gives a
// pair for every task of a run.
type pairSet struct {
	seed   maphash.Seed
	pairs  map[uint64]struct{}
	copies map[uint64]struct{}
}

func newPairSet() pairSet {
	return pairSet{seed: maphash.MakeSeed(), pairs: map[uint64]struct{}{}, copies: map[uint64]struct{}{}}
}

func (s pairSet) add(p state.Pair) {
	s.pairs[maphash.Comparable(s.seed, p)] = struct{}{}
	s.copies[maphash.String(s.seed, p.ETag)] = struct{}{}
}

// episodePairs are the pairs that are known of an episode's copies.
type episodePairs []pairSet

func (e episodePairs) has(p state.Pair) bool {
	return slices.ContainsFunc(e, func(s pairSet) bool {
		_, ok := s.pairs[maphash.Comparable(s.seed, p)]
		return ok
	})
}

// hasCopy reports whether the source of a copy with this ETag is known.
func (e episodePairs) hasCopy(etag string) bool {
	return slices.ContainsFunc(e, func(s pairSet) bool {
		_, ok := s.copies[maphash.String(s.seed, etag)]
		return ok
	})
}

// same compares a copy's content with its source's: by ETag, or else by what is known of the copy.
func (r *reader) same(ctx context.Context, in *EpisodeInput) error {
	in.Same = sameETag
	if !differs(in) {
		return nil
	}
	known, err := r.known.of(ctx, in.Episode)
	if err != nil {
		return err
	}
	for f, copies := range in.Standing {
		for _, c := range copies {
			if in.Images[f] != "" && in.Images[f] != c.ETag && !known.hasCopy(c.ETag) {
				in.Untold++
			}
		}
	}
	in.Same = func(copyETag, srcETag string) bool {
		return sameETag(copyETag, srcETag) || known.has(state.Pair{ETag: copyETag, SrcETag: srcETag})
	}
	return nil
}

// untoldNote explains refreshes in a bucket whose copies have ETags of their own, when what was copied is not recorded any more.
func (p *episodePlanner) untoldNote() string {
	if p.Untold == 0 {
		return ""
	}
	return fmt.Sprintf("; of %d of them neither a dataset version nor a run says what was copied, as when versions and runs were deleted in a bucket with a KMS key: "+
		"then the images may be the same, and copying them once records it", p.Untold)
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
