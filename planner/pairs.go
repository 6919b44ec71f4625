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

// lastVersion reads the newest dataset version at the first call of get, and keeps it. The version
// is empty if there is none.
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

// knownPairs has the pairs of a copy and a source that have the same content although their ETags
// differ. It reads them only when needed: from the latest dataset version, one episode at a time,
// and from the runs since, which may have failed without a version.
//
// A version does not know all sources if the versions before it were deleted when it was made. Then
// knownPairs also reads the runs before the version, the newest first. It keeps only hashes of the
// pairs of runs: a bucket with KMS has a pair for every task.
type knownPairs struct {
	store *state.Store
	last  *lastVersion
	seed  maphash.Seed

	mu    sync.RWMutex
	begun bool
	rows  *version.Contents   // nil: there is no version
	older []string            // runs up to the version that are not read yet, the newest first
	pairs map[uint64]struct{} // hashes of the pairs of runs
	etags map[uint64]struct{} // hashes of the ETags of the copies in pairs
}

// pairRuns bounds the runs that are read for copies whose source the dataset version does not know.
const pairRuns = 200

// episodePairs has the known pairs of one episode's copies.
type episodePairs struct {
	*knownPairs
	own    map[state.Pair]struct{}
	copies map[string]struct{} // ETags of copies whose source the version knows
}

// read returns the known pairs of an episode's copies.
func (k *knownPairs) read(ctx context.Context, e dataset.Episode) (*episodePairs, error) {
	if err := k.begin(ctx); err != nil {
		return nil, err
	}
	p := &episodePairs{knownPairs: k, own: map[state.Pair]struct{}{}, copies: map[string]struct{}{}}
	if k.rows == nil {
		return p, nil
	}
	rows, err := k.rows.Rows(ctx, e)
	if err != nil {
		return nil, err
	}
	var unknown []string
	for _, r := range rows {
		if r.SrcETag == "" {
			unknown = append(unknown, r.ETag)
			continue
		}
		p.copies[r.ETag] = struct{}{}
		if r.SrcETag != r.ETag {
			p.own[state.Pair{ETag: r.ETag, SrcETag: r.SrcETag}] = struct{}{}
		}
	}
	return p, k.lookBack(ctx, unknown)
}

// begin opens the version and reads the pairs of the runs since.
func (k *knownPairs) begin(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.begun {
		return nil
	}
	latest, err := k.last.get(ctx)
	if err == nil && latest.Generation > 0 {
		k.rows, err = version.Open(ctx, k.store, latest)
	}
	if err != nil {
		return err
	}
	runs, err := k.store.Runs(ctx)
	if err != nil {
		return err
	}
	k.older = nil
	for _, run := range slices.Backward(runs) {
		if n := state.GenerationOf(run); n > 0 && n <= latest.Generation {
			if len(k.older) < pairRuns {
				k.older = append(k.older, run)
			}
			continue
		}
		if err := k.readRun(ctx, run); err != nil {
			return err
		}
	}
	k.begun = true
	return nil
}

// lookBack reads older runs, the newest first, until the source of each copy is known.
func (k *knownPairs) lookBack(ctx context.Context, copies []string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	recorded := func(etag string) bool {
		_, ok := k.etags[maphash.String(k.seed, etag)]
		return ok
	}
	for {
		if copies = slices.DeleteFunc(copies, recorded); len(copies) == 0 || len(k.older) == 0 {
			return nil
		}
		if err := k.readRun(ctx, k.older[0]); err != nil {
			return err
		}
		k.older = k.older[1:]
	}
}

// readRun adds the pairs from the results of a run. The caller holds k.mu.
func (k *knownPairs) readRun(ctx context.Context, run string) error {
	return k.store.EachPair(ctx, run, func(p state.Pair) error {
		k.pairs[maphash.Comparable(k.seed, p)] = struct{}{}
		k.etags[maphash.String(k.seed, p.ETag)] = struct{}{}
		return nil
	})
}

// has reports whether the copy is known to have the source's content.
func (p *episodePairs) has(pair state.Pair) bool {
	if _, ok := p.own[pair]; ok {
		return true
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	_, ok := p.pairs[maphash.Comparable(p.seed, pair)]
	return ok
}

// recorded reports whether the source of a copy with this ETag is known.
func (p *episodePairs) recorded(etag string) bool {
	if _, ok := p.copies[etag]; ok {
		return true
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	_, ok := p.etags[maphash.String(p.seed, etag)]
	return ok
}

// same sets in.Same. A copy has the content of a source if their ETags are equal or if they are a
// known pair.
func (r *reader) same(ctx context.Context, in *EpisodeInput) error {
	in.Same = sameETag
	if !differs(in) {
		return nil
	}
	known, err := r.known.read(ctx, in.Episode)
	if err != nil {
		return fmt.Errorf("read the pairs of ETags of earlier copies: %w", err)
	}
	for f, copies := range in.Standing {
		for _, c := range copies {
			if in.Images[f] != "" && in.Images[f] != c.ETag && !known.recorded(c.ETag) {
				in.Untold++
			}
		}
	}
	in.Same = func(copyETag, srcETag string) bool {
		return sameETag(copyETag, srcETag) || known.has(state.Pair{ETag: copyETag, SrcETag: srcETag})
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
