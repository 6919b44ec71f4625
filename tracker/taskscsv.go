package tracker

import (
	"context"
	"encoding/csv"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"
	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

var tasksHeader = []string{"seq", "op", "frame", "outcome", "attempts", "code", "error", "src", "dst"}

// codeSourceChanged marks a task that copied newer content than was planned.
const codeSourceChanged = "SourceChanged"

// tasksCSV lists every task that was not plain success: dead, superseded, without a result, or of a
// source that changed after the plan. In a run that was stopped that may be nearly all of them.
func (t *Tracker) tasksCSV(ctx context.Context, plan *state.Plan, l *Ledger) (*state.Text, error) {
	notable, err := t.notableTasks(ctx, plan, l)
	if err != nil {
		return nil, err
	}
	body := &state.Text{}
	w := csv.NewWriter(body)
	if err := w.Write(tasksHeader); err != nil {
		return nil, err
	}
	for chunk := range state.Chunks(plan.Tasks) {
		pairs, err := notable.pairs.ofChunk(chunk)
		if err != nil {
			return nil, err
		}
		seqs := roaring.New()
		seqs.AddRange(uint64(chunk)*state.ChunkTasks, uint64(chunk+1)*state.ChunkTasks)
		if len(pairs) == 0 && !seqs.Intersects(notable.seqs) {
			continue
		}
		tasks, err := t.Store.ReadTasks(ctx, plan.Run, chunk)
		if state.Lost(err) {
			t.log().Warn(state.TasksName+" of a run lacks some tasks", zap.String("run", plan.Run), zap.Error(err))
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, task := range tasks {
			if cells := notable.line(task, pairs[task.Seq]); cells != nil {
				if err := w.Write(state.DefuseAll(cells)); err != nil {
					return nil, err
				}
			}
		}
	}
	w.Flush()
	return body, w.Error()
}

// notableTasks are the tasks that were not plain success.
type notableTasks struct {
	dead       map[uint32]state.DeadTask
	superseded *roaring.Bitmap
	open       *roaring.Bitmap
	seqs       *roaring.Bitmap // all of them
	pairs      *pairs
}

func (t *Tracker) notableTasks(ctx context.Context, plan *state.Plan, l *Ledger) (*notableTasks, error) {
	split := l.split()
	n := &notableTasks{
		dead: map[uint32]state.DeadTask{}, superseded: split.superseded, open: split.open,
		seqs: roaring.FastOr(split.dead, split.superseded, split.open),
	}
	dead, err := deadList(ctx, t.Store, l)
	if err != nil {
		return nil, err
	}
	for _, d := range dead {
		n.dead[d.Task.Seq] = d
	}
	n.pairs, err = readPairs(ctx, t.Store, plan)
	return n, err
}

// line returns the task's line, or nil for plain success. The last of its pairs counts.
func (n *notableTasks) line(t messages.Task, pairs []state.TaskPair) []string {
	line := func(outcome string, attempts int, code, reason string) []string {
		count := ""
		if attempts > 0 {
			count = strconv.Itoa(attempts)
		}
		return []string{strconv.FormatUint(uint64(t.Seq), 10), string(t.Op), string(t.Frame), outcome, count, code, reason, t.Src, t.Dst}
	}
	if d, ok := n.dead[t.Seq]; ok {
		return line(string(messages.Dead), d.Attempts, d.Code, d.Reason)
	}
	if n.superseded.Contains(t.Seq) {
		return line(string(messages.Superseded), 0, "", "")
	}
	if n.open.Contains(t.Seq) {
		return line("open", 0, "", "")
	}
	if last := len(pairs) - 1; last >= 0 && pairs[last].SrcETag != t.SrcETag {
		return line(string(t.Op.Done()), pairs[last].Attempts, codeSourceChanged, "the source image changed after the plan; its present content was copied")
	}
	return nil
}
