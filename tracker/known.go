package tracker

import (
	"context"
	"errors"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

const (
	// keptRuns and keptChunks bound the caches: late messages are of the last runs, and a chunk of tasks takes some 8 MB.
	keptRuns   = 16
	keptChunks = 4
)

var (
	// errUnknown says that a message is of no run or task that is known.
	errUnknown = errors.New("no such run or task")
	// errNoRun is an errUnknown: the state has no plan of the run.
	errNoRun = fmt.Errorf("%w: there is no plan of it", errUnknown)
)

// knownRun is what a run's plan says about its messages.
type knownRun struct {
	name       string
	generation int64
	tasks      int
}

// knownRuns reads the plans that messages refer to. The zero cache of a lookup that failed is not kept: a run that is
// unknown now may be planned a moment later.
type knownRuns struct {
	store  *state.Store
	runs   *recent[string, *knownRun]
	chunks *recent[chunkOf, []messages.Task]
}

type chunkOf struct {
	run   string
	chunk int
}

func newKnownRuns(store *state.Store) *knownRuns {
	return &knownRuns{store: store, runs: newRecent[string, *knownRun](keptRuns), chunks: newRecent[chunkOf, []messages.Task](keptChunks)}
}

// run is the run of that name, if a message of that generation can be its; else errUnknown.
func (k *knownRuns) run(ctx context.Context, name string, generation int64) (*knownRun, error) {
	r, ok := k.runs.get(name)
	if !ok {
		if !state.ValidRun(name) {
			return nil, fmt.Errorf("%w: %.60q", errUnknown, name)
		}
		plan, err := k.store.ReadPlan(ctx, name)
		if errors.Is(err, bucket.ErrNotFound) {
			return nil, fmt.Errorf("%w: run %s", errNoRun, name)
		}
		if err != nil {
			return nil, err
		}
		r = &knownRun{name: name, generation: plan.Generation, tasks: plan.Tasks}
		k.runs.put(name, r)
	}
	if r.generation != generation {
		return nil, fmt.Errorf("%w: run %s has generation %d, not %d", errUnknown, name, r.generation, generation)
	}
	return r, nil
}

// task is a planned task of the run; errUnknown when the run has none of that seq.
func (k *knownRuns) task(ctx context.Context, r *knownRun, seq uint32) (messages.Task, error) {
	if int64(seq) >= int64(r.tasks) {
		return messages.Task{}, fmt.Errorf("%w: seq %d of run %s with %d tasks", errUnknown, seq, r.name, r.tasks)
	}
	key := chunkOf{r.name, int(seq) / state.ChunkTasks}
	tasks, ok := k.chunks.get(key)
	if !ok {
		var err error
		tasks, err = k.store.ReadTasks(ctx, r.name, key.chunk)
		if err != nil && !errors.Is(err, bucket.ErrNotFound) {
			return messages.Task{}, err
		}
		k.chunks.put(key, tasks)
	}
	i := int(seq) % state.ChunkTasks
	if i >= len(tasks) {
		return messages.Task{}, fmt.Errorf("%w: seq %d is not in the saved tasks of run %s", errUnknown, seq, r.name)
	}
	return tasks[i], nil
}

// recent keeps the values that were used last.
type recent[K comparable, V any] struct {
	most   int
	values map[K]V
	order  []K // the least recently used first
}

func newRecent[K comparable, V any](most int) *recent[K, V] {
	return &recent[K, V]{most: most, values: map[K]V{}}
}

func (r *recent[K, V]) get(key K) (V, bool) {
	v, ok := r.values[key]
	if ok {
		r.touch(key)
	}
	return v, ok
}

func (r *recent[K, V]) put(key K, v V) {
	if _, ok := r.values[key]; !ok && len(r.values) >= r.most {
		delete(r.values, r.order[0])
		r.order = r.order[1:]
	}
	r.values[key] = v
	r.touch(key)
}

// touch moves the key to the end of the order.
func (r *recent[K, V]) touch(key K) {
	kept := r.order[:0]
	for _, k := range r.order {
		if k != key {
			kept = append(kept, k)
		}
	}
	r.order = append(kept, key)
}
