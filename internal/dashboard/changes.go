package dashboard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// change is one frame that a run changes.
type change struct {
	Task messages.Task
	// Cause is the cause with the row of the sheet; "" when it is not known.
	Cause string
}

// causesTTL is how long the causes of a run's changes are cached. They never change.
const causesTTL = 10 * time.Minute

// maxCauseEpisodes limits the episodes whose causes are cached, of about 2 MB each.
const maxCauseEpisodes = 6

// cause is the cause of a change, and the row of the sheet; 0 without a row.
type cause struct {
	state.ChangeCause
	row int
}

func (c cause) String() string {
	if c.row == 0 {
		return string(c.ChangeCause)
	}
	return fmt.Sprintf("%s, row %d", c.ChangeCause, c.row)
}

// cachedCauses returns the causes of an episode's changes.
func (d *dashboard) cachedCauses(ctx context.Context, run string, e dataset.Episode) (map[dataset.Frame]cause, error) {
	return d.causes.get(ctx, run+" "+string(e), func(ctx context.Context) (map[dataset.Frame]cause, error) {
		all, err := d.Store.ReadChanges(ctx, run, e)
		if errors.Is(err, bucket.ErrNotFound) {
			return nil, nil // the list is only for people, who may delete it
		}
		causes := make(map[dataset.Frame]cause, len(all))
		for _, c := range all {
			causes[c.Frame] = cause{c.Cause, c.Row}
		}
		return causes, err
	})
}

// addCauses adds the cause of each change, if the run has recorded causes.
func (d *dashboard) addCauses(ctx context.Context, plan *state.Plan, changes []change) error {
	if !plan.ChangesRecorded() {
		return nil
	}
	for i, c := range changes {
		causes, err := d.cachedCauses(ctx, plan.Run, c.Task.Frame.Episode())
		if err != nil {
			return err
		}
		changes[i].Cause = causes[c.Task.Frame].String()
	}
	return nil
}

// changeReader reads what a run changes, in the order of its tasks.
type changeReader interface {
	// readAfter returns the first changes that match, at most most, and the seq of the next one
	// that matches; -1 when there is none.
	readAfter(ctx context.Context, c taskFilter, most int) (changes []change, next int, err error)
	// readBefore returns the last matching changes before the filter's page, at most most.
	readBefore(ctx context.Context, c taskFilter, most int) ([]change, error)
}

// taskChanges reads the changes from the run's tasks. It reads one chunk after another, and skips
// chunks that cannot match. Tasks have no causes: causes reads them for an episode that has changes
// of the chosen cause.
type taskChanges struct {
	store  *state.Store
	plan   *state.Plan
	causes func(context.Context, dataset.Episode) (map[dataset.Frame]cause, error)
}

// readChunk reads the matching tasks of a chunk with seqs from begin to before end.
func (t taskChanges) readChunk(ctx context.Context, c taskFilter, chunk, begin, end int) (fit []messages.Task, err error) {
	if !c.mayMatch(t.plan, max(begin, chunk*state.ChunkTasks), min(end, (chunk+1)*state.ChunkTasks)) {
		return nil, nil
	}
	all, err := t.store.ReadTasks(ctx, t.plan.Run, chunk)
	if err != nil {
		return nil, err
	}
	var causes map[dataset.Frame]cause
	var of dataset.Episode // the episode of causes
	for _, task := range all {
		if seq := int(task.Seq); seq < begin || seq >= end || c.op != "" && task.Op != c.op {
			continue
		}
		if e := task.Frame.Episode(); c.cause != "" && e != of {
			of, causes = e, nil
			if c.hasChanges(t.plan, e) {
				if causes, err = t.causes(ctx, e); err != nil {
					return nil, err
				}
			}
		}
		if c.cause == "" || causes[task.Frame].ChangeCause == c.cause {
			fit = append(fit, task)
		}
	}
	return fit, nil
}

func (t taskChanges) readAfter(ctx context.Context, c taskFilter, most int) (changes []change, next int, err error) {
	begin, end := c.bounds(t.plan)
	for chunk := begin / state.ChunkTasks; chunk*state.ChunkTasks < end; chunk++ {
		fit, err := t.readChunk(ctx, c, chunk, begin, end)
		if err != nil {
			return nil, -1, err
		}
		for _, task := range fit {
			if len(changes) == most {
				return changes, int(task.Seq), nil
			}
			changes = append(changes, change{Task: task})
		}
	}
	return changes, -1, nil
}

func (t taskChanges) readBefore(ctx context.Context, c taskFilter, most int) (changes []change, err error) {
	begin, end := taskFilter{episode: c.episode}.bounds(t.plan)
	end = min(end, c.before)
	for chunk := (end - 1) / state.ChunkTasks; chunk >= begin/state.ChunkTasks && end > begin && len(changes) < most; chunk-- {
		fit, err := t.readChunk(ctx, c, chunk, begin, end)
		if err != nil {
			return nil, err
		}
		var found []change
		for _, task := range fit {
			found = append(found, change{Task: task})
		}
		changes = append(found, changes...)
	}
	return slices.Clone(changes[max(0, len(changes)-most):]), nil
}
