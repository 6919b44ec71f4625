package tracker

import (
	"context"
	"errors"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

const (
	// keptRuns and keptChunks bound the caches: late messages are of the last runs, and a chunk of
	// tasks takes some 8 MB.
	keptRuns   = 16
	keptChunks = 4
)

var (
	// errUnknown means that a message is of no run or task that is known.
	errUnknown = errors.New("no such run or task")
	// errNoRun is an errUnknown: there is no plan of the run.
	errNoRun = fmt.Errorf("%w: there is no plan of it", errUnknown)
)

// knownRun is the part of a run's plan by which its messages are checked.
type knownRun struct {
	name       string
	generation int64
	tasks      int
}

// knownRuns reads the plans that messages refer to. It does not cache that a run is unknown, which
// may be planned a moment later.
type knownRuns struct {
	store   *state.Store
	pointer state.Pointer // adoptRun and writeNote set it: the run in force is known also without its plan
	runs    *lru.Cache[string, *knownRun]
	chunks  *lru.Cache[chunkKey, []messages.Task]
}

type chunkKey struct {
	run   string
	chunk int
}

// newCache makes a cache that keeps the values used last.
func newCache[K comparable, V any](most int) *lru.Cache[K, V] {
	cache, err := lru.New[K, V](most)
	if err != nil {
		panic("cache: " + err.Error()) // the sizes are constant
	}
	return cache
}

// run returns the run of that name. Its error is errUnknown for a run that is unknown or of another
// generation.
func (k *knownRuns) run(ctx context.Context, name string, generation int64) (*knownRun, error) {
	if name == k.pointer.Run && k.pointer.Tasks > 0 {
		r := &knownRun{name: name, generation: k.pointer.Generation, tasks: k.pointer.Tasks}
		return r, r.check(generation)
	}
	r, ok := k.runs.Get(name)
	if !ok {
		if !state.ValidRun(name) {
			return nil, fmt.Errorf("%w: %.60q", errUnknown, name)
		}
		plan, err := k.store.ReadPlan(ctx, name)
		switch {
		case errors.Is(err, bucket.ErrNotFound) && generation > k.pointer.Generation:
			// The run may be in force: one answer that there is no plan is not enough to give up
			// its results.
			if listed, listErr := k.store.Names(ctx, state.RunName(name, "plan.json")); listErr != nil || len(listed) > 0 {
				return nil, errors.Join(fmt.Errorf("read the plan of run %s: %w", name, err), listErr)
			}
			return nil, fmt.Errorf("%w: run %s", errNoRun, name)
		case errors.Is(err, bucket.ErrNotFound):
			return nil, fmt.Errorf("%w: run %s", errNoRun, name)
		case errors.Is(err, state.ErrDamaged): // an earlier run must not delay this one
			return nil, fmt.Errorf("%w: %w", errUnknown, err)
		case err != nil:
			return nil, err
		}
		r = &knownRun{name: name, generation: plan.Generation, tasks: plan.Tasks}
		k.runs.Add(name, r)
	}
	return r, r.check(generation)
}

func (r *knownRun) check(generation int64) error {
	if r.generation != generation {
		return fmt.Errorf("%w: run %s has generation %d, not %d", errUnknown, r.name, r.generation, generation)
	}
	return nil
}

// task returns a planned task of the run. Its error is errUnknown when the run has none of that
// seq.
func (k *knownRuns) task(ctx context.Context, r *knownRun, seq uint32) (messages.Task, error) {
	if int64(seq) >= int64(r.tasks) {
		return messages.Task{}, fmt.Errorf("%w: seq %d of run %s with %d tasks", errUnknown, seq, r.name, r.tasks)
	}
	key := chunkKey{r.name, int(seq) / state.ChunkTasks}
	tasks, ok := k.chunks.Get(key)
	if !ok {
		var err error
		tasks, err = k.store.ReadTasks(ctx, r.name, key.chunk)
		if err != nil && !state.Lost(err) {
			return messages.Task{}, err
		}
		if err == nil {
			k.chunks.Add(key, tasks)
		}
	}
	i := int(seq) % state.ChunkTasks
	if i >= len(tasks) {
		return messages.Task{}, fmt.Errorf("%w: seq %d is not in the saved tasks of run %s", errUnknown, seq, r.name)
	}
	return tasks[i], nil
}
