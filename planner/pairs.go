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
// latest dataset version, and from the runs since, which may have failed without one. A version that was made after somebody
// had deleted the ones before it does not know all sources; then the runs before it are asked too, the newest first.
type knownPairs struct {
	store *state.Store
	last  *lastVersion

	once  sync.Once
	pairs map[state.Pair]struct{}
	etags map[string]struct{} // of the copies in pairs
	err   error
}

// pairRuns bounds the runs that are asked for what no dataset version knows.
const pairRuns = 200

func (k *knownPairs) get(ctx context.Context) (*knownPairs, error) {
	k.once.Do(func() {
		k.pairs, k.etags = map[state.Pair]struct{}{}, map[string]struct{}{}
		if k.err = k.read(ctx); k.err != nil {
			k.err = fmt.Errorf("read the pairs of ETags of earlier copies: %w", k.err)
		}
	})
	return k, k.err
}

func (k *knownPairs) read(ctx context.Context) error {
	latest, err := k.last.get(ctx)
	if err != nil {
		return err
	}
	unknown := map[string]struct{}{}
	for _, name := range slices.Sorted(maps.Keys(latest.Counts)) {
		rows, err := k.store.ReadVersionRows(ctx, latest.Generation, name)
		if err != nil {
			return err
		}
		for _, r := range rows {
			switch r.SrcETag {
			case "":
				unknown[r.ETag] = struct{}{}
			case r.ETag:
				k.etags[r.ETag] = struct{}{}
			default:
				k.add(state.Pair{ETag: r.ETag, SrcETag: r.SrcETag})
			}
		}
	}
	return k.ofRuns(ctx, latest.Generation, unknown)
}

func (k *knownPairs) add(p state.Pair) {
	k.pairs[p] = struct{}{}
	k.etags[p.ETag] = struct{}{}
}

// ofRuns adds what the results of the runs after a generation told, and of those before it until no copy is unknown.
func (k *knownPairs) ofRuns(ctx context.Context, generation int64, unknown map[string]struct{}) error {
	runs, err := k.store.Runs(ctx)
	if err != nil {
		return err
	}
	asked := 0
	for _, run := range slices.Backward(runs) {
		if n := state.GenerationOf(run); n > 0 && n <= generation {
			if asked++; len(unknown) == 0 || asked > pairRuns {
				break
			}
		}
		pairs, err := k.store.Pairs(ctx, run)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			k.add(p)
			delete(unknown, p.ETag)
		}
	}
	return nil
}

// same compares a copy's content with its source's: by ETag, or else by what is known of the copy.
func (r *reader) same(ctx context.Context, in *EpisodeInput) error {
	in.Same = sameETag
	if !differs(in) {
		return nil
	}
	known, err := r.known.get(ctx)
	if err != nil {
		return err
	}
	for f, copies := range in.Standing {
		for _, c := range copies {
			if _, told := known.etags[c.ETag]; !told && in.Images[f] != "" && in.Images[f] != c.ETag {
				in.Untold++
			}
		}
	}
	in.Same = func(copyETag, srcETag string) bool {
		_, ok := known.pairs[state.Pair{ETag: copyETag, SrcETag: srcETag}]
		return ok || sameETag(copyETag, srcETag)
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
