package planner

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// ChangedError reports that a reviewed plan no longer matches the sheets and the listings. Nothing
// was published.
type ChangedError struct {
	Run     string
	Changes []string // at most maxChanges, in words
	More    int      // the number of changes that are not in Changes
}

const maxChanges = 50

func (e *ChangedError) Error() string {
	more := ""
	if e.More > 0 {
		more = fmt.Sprintf("\n  and %d more", e.More)
	}
	return fmt.Sprintf("run %s is not published, since this has changed since it was planned:\n  %s%s\nreview a new plan: shuffle plan --review",
		e.Run, strings.Join(e.Changes, "\n  "), more)
}

// Apply publishes a reviewed plan. It plans again with the same options. If the new plan differs
// from the reviewed one, Apply publishes nothing and returns a *ChangedError.
func (p *Planner) Apply(ctx context.Context, run string) (*state.Plan, error) {
	pointer, err := p.Store.Current(ctx, state.PointerSnapshot{})
	if err != nil {
		return nil, err
	}
	switch {
	case !pointer.Exists() || pointer.Run != run:
		return nil, fmt.Errorf("%w: run %.60q is not the one waiting for its review; see shuffle status", ErrUsage, run)
	case pointer.State != state.Review:
		return nil, fmt.Errorf("%w: run %s is %s, expected review; see shuffle status", ErrUsage, run, pointer.State)
	}
	saved, err := p.Store.ReadPlan(ctx, run)
	if err != nil {
		return nil, err
	}
	if err := p.unchanged(ctx, saved); err != nil {
		return nil, err
	}
	next := pointer.Pointer
	next.State = state.Publishing
	next.Heartbeat++
	if pointer, err = p.Store.Swap(ctx, pointer, next); err != nil {
		return nil, fmt.Errorf("apply run %s: %w", run, err)
	}
	p.log().Info("publishing a reviewed plan", zap.String("run", run), zap.Int("tasks", saved.Tasks))
	return p.publish(ctx, pointer, saved)
}

// unchanged plans again and compares the new plan with the saved one.
func (p *Planner) unchanged(ctx context.Context, saved *state.Plan) error {
	var opt Options
	if err := json.Unmarshal(saved.Options, &opt); err != nil {
		return fmt.Errorf("read the options of run %s: %w", saved.Run, err)
	}
	// The settings are those of the review. The environment of this caller does not count.
	in, err := p.readInputs(ctx, opt, &saved.Settings.Definition)
	if errors.Is(err, ErrUsage) { // the options were right when the run was planned
		return &ChangedError{Run: saved.Run, Changes: []string{err.Error()}}
	}
	if err != nil {
		return err
	}
	tasks := taskPrints{}
	fresh, err := in.plan(ctx, purpose{onTask: tasks.add})
	if err != nil {
		return err
	}
	var changes []string
	if !reflect.DeepEqual(saved.Settings, fresh.Settings) {
		before, _ := json.Marshal(saved.Settings) // plain values always encode
		now, _ := json.Marshal(fresh.Settings)
		changes = append(changes, fmt.Sprintf("the settings: planned with %s, now %s", before, now))
	}
	changes = append(changes, episodeChanges(saved, fresh)...)
	differing, err := p.taskChanges(ctx, saved, tasks)
	if err != nil {
		return err
	}
	if changes = append(changes, differing...); len(changes) > 0 {
		more := max(len(changes)-maxChanges, 0)
		return &ChangedError{Run: saved.Run, Changes: changes[:len(changes)-more], More: more}
	}
	return nil
}

// episodeChanges compares the state of the episodes and the digests of their copies. The reason why
// an episode is held does not count.
func episodeChanges(saved, fresh *state.Plan) (changes []string) {
	before, now := fates(saved), fates(fresh)
	all := maps.Clone(before)
	maps.Copy(all, now)
	for _, e := range slices.Sorted(maps.Keys(all)) {
		switch {
		case before[e].state != now[e].state:
			changes = append(changes, fmt.Sprintf("%s was %s, and is %s", e, before[e], now[e]))
		case saved.Digests[e] != fresh.Digests[e]:
			changes = append(changes, fmt.Sprintf("%s: what stands in the datasets", e))
		}
	}
	return changes
}

// fate is what a plan does to an episode. The zero fate is that of an episode that is not in the
// plan.
type fate struct{ state, reason string }

func fates(p *state.Plan) map[dataset.Episode]fate {
	all := map[dataset.Episode]fate{}
	for _, e := range p.Episodes {
		all[e.Name()] = fate{e.State, e.Reason}
	}
	return all
}

func (f fate) String() string {
	switch {
	case f.state == "":
		return "not in the plan"
	case f.reason == "":
		return f.state
	}
	return f.state + " (" + f.reason + ")"
}

// taskPrints maps each frame to a hash of its task. It keeps only hashes, since a season has
// hundreds of thousands of tasks.
type taskPrints map[dataset.Frame]fingerprint

type fingerprint [16]byte

func (t taskPrints) add(task messages.Task) { t[task.Frame] = printOf(task) }

// printOf hashes the work of a task without its run. So the same work has the same hash in every
// run.
func printOf(t messages.Task) fingerprint {
	t.Run, t.Gen, t.Seq, t.Round, t.Scope = "-", 1, 0, 0, ""
	sum := sha256.Sum256([]byte(t.Encode()))
	return fingerprint(sum[:16])
}

// taskChanges compares the saved tasks with the fresh ones. It removes the equal ones from fresh.
func (p *Planner) taskChanges(ctx context.Context, saved *state.Plan, fresh taskPrints) (changes []string, err error) {
	for chunk := range state.Chunks(saved.Tasks) {
		tasks, err := p.Store.ReadTasks(ctx, saved.Run, chunk)
		if err != nil {
			return nil, fmt.Errorf("apply run %s: %w", saved.Run, err)
		}
		for _, t := range tasks {
			now, ok := fresh[t.Frame]
			delete(fresh, t.Frame)
			switch {
			case !ok:
				changes = append(changes, fmt.Sprintf("%s: %s was planned, now nothing is to be done", t.Frame, t.Op))
			case now != printOf(t):
				changes = append(changes, fmt.Sprintf("%s: %s was planned, now something else is to be done", t.Frame, t.Op))
			}
		}
	}
	for _, f := range slices.Sorted(maps.Keys(fresh)) {
		changes = append(changes, fmt.Sprintf("%s: nothing was planned, now there is something to be done", f))
	}
	return changes, nil
}
