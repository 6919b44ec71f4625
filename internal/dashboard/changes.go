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
	// Cause is why, with the row of the sheet; "" is not known.
	Cause string
}

// freshCauses is how long the causes of a run's changes are kept. Nothing changes them.
const freshCauses = 10 * time.Minute

// keptCauses bounds the episodes whose causes are kept, of some 2 MB each.
const keptCauses = 6

// addCauses says why each change is made, where the run has recorded that.
func (d *dashboard) addCauses(ctx context.Context, plan *state.Plan, changes []change) error {
	if !plan.ChangesRecorded() {
		return nil
	}
	for i, c := range changes {
		e := c.Task.Frame.Episode()
		causes, err := d.causes.get(ctx, plan.Run+" "+string(e), func(ctx context.Context) (map[dataset.Frame]string, error) {
			return readCauses(ctx, d.Store, plan.Run, e)
		})
		if err != nil {
			return err
		}
		changes[i].Cause = causes[c.Task.Frame]
	}
	return nil
}

func readCauses(ctx context.Context, s *state.Store, run string, e dataset.Episode) (map[dataset.Frame]string, error) {
	all, err := s.ReadChanges(ctx, run, e)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, nil // the list is kept for people, who may delete it
	}
	causes := make(map[dataset.Frame]string, len(all))
	for _, c := range all {
		causes[c.Frame] = string(c.Cause)
		if c.Row > 0 {
			causes[c.Frame] += fmt.Sprintf(", row %d", c.Row)
		}
	}
	return causes, err
}

// changeReader reads what a run changes, in the order of its tasks.
type changeReader interface {
	// after gives the first changes that fit, at most so many, and the seq of the next that does; -1 when there is none.
	after(ctx context.Context, c choice, most int) (changes []change, next int, err error)
	// before gives the last ones before the choice's page, at most so many.
	before(ctx context.Context, c choice, most int) ([]change, error)
}

// taskChanges takes the changes from the run's tasks, which know no causes. It reads the chunks that may have some, one after the other.
type taskChanges struct {
	store *state.Store
	plan  *state.Plan
}

func (t taskChanges) after(ctx context.Context, c choice, most int) (changes []change, next int, err error) {
	begin, end := c.bounds(t.plan)
	for chunk := begin / state.ChunkTasks; chunk*state.ChunkTasks < end; chunk++ {
		all, err := t.store.ReadTasks(ctx, t.plan.Run, chunk)
		if err != nil {
			return nil, -1, err
		}
		for _, task := range all {
			seq := int(task.Seq)
			if seq < begin || seq >= end || !c.fits(task) {
				continue
			}
			if len(changes) == most {
				return changes, seq, nil
			}
			changes = append(changes, change{Task: task})
		}
	}
	return changes, -1, nil
}

func (t taskChanges) before(ctx context.Context, c choice, most int) (changes []change, err error) {
	begin, end := choice{episode: c.episode}.bounds(t.plan)
	end = min(end, c.before)
	for chunk := (end - 1) / state.ChunkTasks; chunk >= begin/state.ChunkTasks && end > begin && len(changes) < most; chunk-- {
		all, err := t.store.ReadTasks(ctx, t.plan.Run, chunk)
		if err != nil {
			return nil, err
		}
		var found []change
		for _, task := range all {
			if int(task.Seq) >= begin && int(task.Seq) < end && c.fits(task) {
				found = append(found, change{Task: task})
			}
		}
		changes = append(found, changes...)
	}
	return slices.Clone(changes[max(0, len(changes)-most):]), nil
}
