package worker

import (
	"context"
	"errors"
	"hash/maphash"
	"strconv"
	"strings"
	"sync"

	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// errNotPlanned means that the run's plan has another task with this number, so the message is
// forged or damaged.
var errNotPlanned = errors.New("the run's plan has no such task")

// plan is the tasks of the run in force, as a hash of each: 80 kB for 10,000 tasks.
type plan struct {
	runs  Runs
	log   *zap.Logger
	seed  maphash.Seed // random in each process, so that no attacker can make a task with a given hash
	reads singleflight.Group

	mu     sync.Mutex
	run    string
	chunks map[int][]uint64 // a chunk that is missing or damaged is empty, and no task is compared with it
}

// check returns errNotPlanned for a task that differs from the planned one. Another error means
// that the plan cannot be read now.
func (p *plan) check(ctx context.Context, t *messages.Task) error {
	n, i := int(t.Seq)/state.ChunkTasks, int(t.Seq)%state.ChunkTasks
	hashes, known := p.cachedChunk(t.Run, n)
	if !known {
		read, err, _ := p.reads.Do(t.Run+" "+strconv.Itoa(n), func() (any, error) {
			if hashes, known := p.cachedChunk(t.Run, n); known {
				return hashes, nil // another goroutine has just read it
			}
			return p.read(ctx, t.Run, n)
		})
		if err != nil {
			return err
		}
		hashes = read.([]uint64)
	}
	if len(hashes) > 0 && (i >= len(hashes) || hashes[i] != p.hash(t)) {
		return errNotPlanned
	}
	return nil
}

// cachedChunk returns the hashes of a chunk, if it was read. The first call for another run drops
// the chunks of the earlier one.
func (p *plan) cachedChunk(run string, n int) (hashes []uint64, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run != run {
		p.run, p.chunks = run, map[int][]uint64{}
	}
	hashes, known = p.chunks[n]
	return hashes, known
}

// read reads a chunk. A missing or damaged chunk counts as empty. The keys of its tasks were
// checked, and the tracker verifies the run against the rest of its plan.
func (p *plan) read(ctx context.Context, run string, n int) ([]uint64, error) {
	tasks, err := p.runs.ReadTasks(ctx, run, n)
	var failed *bucket.Error
	if err != nil && (ctx.Err() != nil || errors.As(err, &failed) && !errors.Is(err, bucket.ErrNotFound)) {
		return nil, err
	}
	if err != nil {
		tasks = nil
		p.log.Warn("the saved tasks of the run are missing or damaged; tasks are applied without comparing them", zap.String("run", run),
			zap.Int("chunk", n), zap.Error(err))
	}
	hashes := make([]uint64, len(tasks))
	for i := range tasks {
		hashes[i] = p.hash(&tasks[i])
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == run {
		p.chunks[n] = hashes
	}
	return hashes, nil
}

// hash covers all that a task does: every field except the round.
func (p *plan) hash(t *messages.Task) uint64 {
	return maphash.Comparable(p.seed, struct {
		run, frame, src, srcETag, dst, scope string
		del                                  string // no key has a line break
		gen                                  int64
		seq                                  uint32
		op                                   messages.Op
	}{t.Run, string(t.Frame), t.Src, t.SrcETag, t.Dst, t.Scope, strings.Join(t.Del, "\n"), t.Gen, t.Seq, t.Op})
}
