package tracker

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// publication names one publication of a task of a run.
type publication struct{ seq, round uint32 }

// mergeDead returns the union of dead lists: one entry a publication, by seq and round.
func mergeDead(lists ...[]state.DeadTask) []state.DeadTask {
	all := map[publication]state.DeadTask{}
	for _, d := range slices.Concat(lists...) {
		key := publication{d.Task.Seq, d.Round}
		if old, ok := all[key]; ok {
			d = moreDetailed(old, d)
		}
		all[key] = d
	}
	merged := slices.Collect(maps.Values(all))
	slices.SortFunc(merged, func(a, b state.DeadTask) int {
		return cmp.Or(cmp.Compare(a.Task.Seq, b.Task.Seq), cmp.Compare(a.Round, b.Round))
	})
	return merged
}

// moreDetailed merges two entries about one publication: the one of the result and the one of the
// dead letter. The worker's own reason, which has a code, beats the queue's, which only counted. A
// known task beats one whose chunk is gone. All fields order two entries, so that in whatever order
// entries come the same one is left.
func moreDetailed(a, b state.DeadTask) state.DeadTask {
	more := cmp.Or(
		cmp.Compare(rank(a.Code != ""), rank(b.Code != "")), cmp.Compare(a.Attempts, b.Attempts),
		cmp.Compare(a.Code, b.Code), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Worker, b.Worker),
	)
	best, other := a, b
	if more < 0 {
		best, other = b, a
	}
	if best.Task.Op == "" {
		best.Task = other.Task
	}
	return best
}

func rank(better bool) int {
	if better {
		return 1
	}
	return 0
}

func encodeLines[T any](lines []T) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	for _, line := range lines {
		if err := enc.Encode(line); err != nil {
			return nil, err
		}
	}
	return body.Bytes(), nil
}

// deadList reads the entries of the tasks that the ledger counts as dead, each of its last round,
// by seq. It leaves out tasks that were published again or turned out to be done.
func deadList(ctx context.Context, store *state.Store, l *Ledger) ([]state.DeadTask, error) {
	dead := l.Dead()
	if dead.IsEmpty() {
		return nil, nil
	}
	c, err := store.Read(ctx, state.RunName(l.Run, state.DeadName))
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		return nil, err
	}
	all, _ := state.GoodLines[state.DeadTask](c.Body)
	last := map[uint32]state.DeadTask{}
	for _, d := range all {
		if old, ok := last[d.Task.Seq]; dead.Contains(d.Task.Seq) && (!ok || d.Round >= old.Round) {
			last[d.Task.Seq] = d
		}
	}
	list := slices.Collect(maps.Values(last))
	slices.SortFunc(list, func(a, b state.DeadTask) int { return cmp.Compare(a.Task.Seq, b.Task.Seq) })
	return list, nil
}

// countCodes counts dead tasks by code. It returns nil when there are none.
func countCodes(dead []state.DeadTask) map[string]int {
	if len(dead) == 0 {
		return nil
	}
	counts := map[string]int{}
	for _, d := range dead {
		counts[cmp.Or(d.Code, codeWorkerDied)]++
	}
	return counts
}

// codeWorkerDied is the code of a task that only the queue's redrive policy gave up, which has none
// of its own.
const codeWorkerDied = "NoResult"

// commonestCode is the code that most of the dead tasks have.
func commonestCode(dead []state.DeadTask) (code string, n int) {
	counts := countCodes(dead)
	for _, c := range slices.Sorted(maps.Keys(counts)) {
		if counts[c] > n {
			code, n = c, counts[c]
		}
	}
	return code, n
}

// DeadList lists a run's dead tasks, by seq; "" is the newest run. Its error for an unknown run is
// state.ErrNoRun.
func (t *Tracker) DeadList(ctx context.Context, run string) ([]state.DeadTask, error) {
	if run == "" {
		pointer, err := t.Store.Current(ctx, state.PointerSnapshot{})
		if err != nil {
			return nil, err
		}
		run = pointer.Run
	}
	plan, err := readPlan(ctx, t.Store, run)
	if err != nil {
		return nil, err
	}
	if plan.Run == "" {
		if _, err := state.ReadStatus(ctx, t.Store, run); err != nil {
			return nil, err
		}
		return nil, nil // a run without a plan has no tasks
	}
	l, err := readLedger(ctx, t.Store, run, plan.Generation, plan.Tasks)
	if err != nil {
		return nil, err
	}
	return deadList(ctx, t.Store, l)
}
