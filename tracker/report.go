package tracker

import (
	"context"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// report puts together what is known of a run that has ended, without a check of the destination.
// version is the generation of the latest dataset version; 0: it is looked up.
func (t *Tracker) report(ctx context.Context, p state.Pointer, plan *state.Plan, l *Ledger, version int64) (*state.Report, error) {
	r := &state.Report{
		Status:         state.StatusOf(state.PointerSnapshot{Pointer: p}, l.Progress(), plan),
		DifferenceList: []state.Difference{},
		Totals:         plan.Totals, Episodes: plan.Episodes, Orphans: plan.Orphans, Manifests: plan.Problems,
		Balance: slices.Clone(plan.Balance), MissingClasses: plan.MissingClasses,
		CostUSD: plan.CostUSD, Leakage: plan.Leakage, LeakageGrouped: plan.LeakageGrouped, IdenticalImages: plan.IdenticalImages, Settings: plan.Settings,
		DurationSecs: p.Finished.Sub(p.Started).Seconds(),
		Writer:       rand.Text(),
		Verified:     p.State == state.Succeeded, // which nothing is without a listing that equals the plan
	}
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() error {
		dead, err := deadList(reading, t.Store, l)
		r.DeadCodes = codes(dead)
		return err
	})
	g.Go(func() (err error) {
		r.Unreadable, err = t.Store.CountUnreadable(reading, p.Generation)
		return err
	})
	g.Go(func() (err error) {
		r.Environments, err = t.Store.OtherEnvironments(reading, p.Generation)
		return err
	})
	if r.Version = version; version == 0 {
		g.Go(func() error {
			v, err := t.Store.LatestVersion(reading)
			if errors.Is(err, bucket.ErrNotFound) {
				return nil
			}
			r.Version = v.Generation
			return err
		})
	}
	return r, g.Wait()
}

// saveBeside writes what people open beside report.json. before are the conditions of the writes.
func (t *Tracker) saveBeside(ctx context.Context, r *state.Report, plan *state.Plan, l *Ledger, before state.EndFiles) error {
	var g errgroup.Group
	if plan.Tasks > 0 {
		g.Go(func() error {
			body, err := t.tasksCSV(ctx, plan, l)
			if err != nil {
				return err
			}
			return t.Store.WriteEndText(ctx, r.Run, state.TasksName, body, before[state.TasksName])
		})
	}
	if t.Options.Page != nil {
		g.Go(func() error { return t.savePage(ctx, r, before[state.PageName]) })
	}
	return g.Wait()
}

// makeFinal writes the report of an end that the pointer has, when all that is beside it is there.
func (t *Tracker) makeFinal(ctx context.Context, r *state.Report, cond bucket.Condition) error {
	r.Final = true
	_, err := t.Store.WriteReport(ctx, r, cond)
	return err
}

func (t *Tracker) savePage(ctx context.Context, r *state.Report, cond bucket.Condition) error {
	page, err := t.Options.Page(ctx, r)
	if err != nil { // it is there to look at: a run does not go on for ever for want of it
		t.log().Warn("a run ends without its "+state.PageName, zap.String("run", r.Run), zap.Error(err))
		return ctx.Err()
	}
	page = fmt.Appendf(page, "\n<!-- %s -->\n", r.Writer) // no two reports have the same page, so that its ETag tells them apart
	_, err = t.Store.WriteEndFile(ctx, r.Run, state.PageName, page, cond)
	return err
}

// settle writes the report of an ended run that has none, or one of an earlier end: a run that was
// halted, cancelled, left by its planner, or whose tracker died. Results that come after the end
// change its counts.
func (s *session) settle(ctx context.Context) error {
	p := s.ledger.Progress()
	mark := s.mark(p.Done, p.Outcomes)
	if mark == s.settled {
		return nil
	}
	if err := s.Tracker.settle(ctx, s.pointer.Pointer, s.plan, s.ledger); err != nil {
		return err
	}
	s.settled = mark
	return nil
}

// mark tells the end of the run in force, and what its report says of the ledger.
func (s *session) mark(done int, outcomes map[messages.Outcome]int) string {
	return fmt.Sprint(s.pointer.Writer, done, outcomes)
}

// settleCurrent settles the run of a pointer.
func (t *Tracker) settleCurrent(ctx context.Context, pointer state.PointerSnapshot) error {
	s := newSession(t)
	if err := s.follow(ctx, pointer, true); err != nil {
		return err
	}
	return s.settle(ctx)
}

// settleTries bounds the tries of several trackers that write the report of one end at once: the
// first succeeds.
const settleTries = 5

func (t *Tracker) settle(ctx context.Context, p state.Pointer, plan *state.Plan, l *Ledger) (err error) {
	if p.State == state.Review {
		return nil
	}
	for range settleTries {
		if err = t.settleOnce(ctx, p, plan, l); !errors.Is(err, state.ErrConflict) {
			return err
		}
	}
	return err
}

func (t *Tracker) settleOnce(ctx context.Context, p state.Pointer, plan *state.Plan, l *Ledger) error {
	files, err := t.Store.EndFiles(ctx, p.Run)
	if err != nil {
		return err
	}
	before, err := t.Store.ReadReport(ctx, p.Run)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) && !errors.Is(err, state.ErrDamaged) {
		return err
	}
	// Whoever ends the run otherwise changes the pointer first. So while it is the same, the files
	// just seen are of no later end, and of a later one they will not be as seen.
	now, err := t.Store.Current(ctx, state.PointerSnapshot{})
	if err != nil {
		return err
	}
	if now.Writer != p.Writer {
		return fmt.Errorf("write the report of run %s: %w", p.Run, state.ErrConflict)
	}
	r, err := t.report(ctx, p, plan, l, 0)
	if err != nil || before.Final && (agree(before, r) || knowsMore(before, r)) {
		return err
	}
	proposed := before.State == r.State && before.Reason == r.Reason
	if proposed {
		keepCheck(r, before)
	}
	// An end that was proposed is announced by the tracker that changed the pointer.
	first := !sameEnd(before, r) && (before.Final || !proposed)
	err = t.saveBeside(ctx, r, plan, l, files)
	if err == nil {
		err = t.makeFinal(ctx, r, files[state.ReportName])
	}
	if err != nil {
		return err
	}
	if first {
		t.announce(r)
	}
	return nil
}

// sameEnd says whether two reports are of the same end of a run, which can be redriven and end
// again.
func sameEnd(a, b *state.Report) bool {
	return a.State == b.State && a.Reason == b.Reason && (a.Finished == nil) == (b.Finished == nil) &&
		(a.Finished == nil || a.Finished.Equal(*b.Finished))
}

func agree(a, b *state.Report) bool {
	return sameEnd(a, b) && a.Done == b.Done && a.Dead == b.Dead && maps.Equal(a.Outcomes, b.Outcomes)
}

// knowsMore says that a report of the same end counts more tasks than the ledger does now, which
// only grows: it is lost.
func knowsMore(report, now *state.Report) bool {
	return sameEnd(report, now) && advice.Accounted(report.Status) > advice.Accounted(now.Status)
}

// keepCheck carries over what only the listing told.
func keepCheck(r, before *state.Report) {
	r.Verified, r.Differences, r.DifferenceList = before.Verified, before.Differences, before.DifferenceList
	r.Balance, r.Version, r.Warnings = before.Balance, before.Version, before.Warnings
}

var tasksHeader = []string{"seq", "op", "frame", "outcome", "attempts", "code", "error", "src", "dst"}

// codeSourceChanged marks a task that copied newer content than was planned.
const codeSourceChanged = "SourceChanged"

// tasksCSV lists every task that was not plain success: dead, superseded, without a result, or of a
// source that changed after the plan. In a run that was stopped that may be nearly all of them.
func (t *Tracker) tasksCSV(ctx context.Context, plan *state.Plan, l *Ledger) (*state.Text, error) {
	odd, err := t.oddTasks(ctx, plan, l)
	if err != nil {
		return nil, err
	}
	body := &state.Text{}
	w := csv.NewWriter(body)
	if err := w.Write(tasksHeader); err != nil {
		return nil, err
	}
	for chunk := range state.Chunks(plan.Tasks) {
		pairs, err := odd.pairs.of(chunk)
		if err != nil {
			return nil, err
		}
		if len(pairs) == 0 && !odd.in(chunk) {
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
			if cells := odd.line(task, pairs[task.Seq]); cells != nil {
				if err := w.Write(state.DefuseAll(cells)); err != nil {
					return nil, err
				}
			}
		}
	}
	w.Flush()
	return body, w.Error()
}

// odd is what is known of the tasks that were not plain success.
type odd struct {
	dead       map[uint32]state.DeadTask
	superseded *roaring.Bitmap
	open       *roaring.Bitmap
	seqs       *roaring.Bitmap // all of them
	pairs      *pairs
}

func (t *Tracker) oddTasks(ctx context.Context, plan *state.Plan, l *Ledger) (*odd, error) {
	split := l.split()
	o := &odd{
		dead: map[uint32]state.DeadTask{}, superseded: split.superseded, open: split.open,
		seqs: roaring.FastOr(split.dead, split.superseded, split.open),
	}
	dead, err := deadList(ctx, t.Store, l)
	if err != nil {
		return nil, err
	}
	for _, d := range dead {
		o.dead[d.Task.Seq] = d
	}
	o.pairs, err = readPairs(ctx, t.Store, plan)
	return o, err
}

// in says whether a chunk has any of the tasks.
func (o *odd) in(chunk int) bool {
	first := uint64(chunk) * state.ChunkTasks
	all := roaring.New()
	all.AddRange(first, first+state.ChunkTasks)
	return all.Intersects(o.seqs)
}

// line is the task's line; nil for plain success. The last of its pairs counts.
func (o *odd) line(t messages.Task, pairs []state.TaskPair) []string {
	line := func(outcome string, attempts int, code, reason string) []string {
		count := ""
		if attempts > 0 {
			count = strconv.Itoa(attempts)
		}
		return []string{strconv.FormatUint(uint64(t.Seq), 10), string(t.Op), string(t.Frame), outcome, count, code, reason, t.Src, t.Dst}
	}
	if d, ok := o.dead[t.Seq]; ok {
		return line(string(messages.Dead), d.Attempts, d.Code, d.Reason)
	}
	if o.superseded.Contains(t.Seq) {
		return line(string(messages.Superseded), 0, "", "")
	}
	if o.open.Contains(t.Seq) {
		return line("open", 0, "", "")
	}
	if n := len(pairs); n > 0 && pairs[n-1].SrcETag != t.SrcETag {
		return line(string(t.Op.Done()), pairs[n-1].Attempts, codeSourceChanged, "the source image changed after the plan; its present content was copied")
	}
	return nil
}
