package tracker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// buildReport builds the report of a run that has ended, without a check of the destination.
// version is the generation of the latest dataset version; 0: it is read.
func (t *Tracker) buildReport(ctx context.Context, p state.Pointer, plan *state.Plan, l *Ledger, version int64) (*state.Report, error) {
	r := &state.Report{
		Status:         state.StatusOf(state.PointerSnapshot{Pointer: p}, l.Progress(), plan),
		DifferenceList: []state.Difference{},
		Totals:         plan.Totals, Episodes: plan.Episodes, Orphans: plan.Orphans, Manifests: plan.Problems,
		Balance: slices.Clone(plan.Balance), MissingClasses: plan.MissingClasses,
		CostUSD: plan.CostUSD, Leakage: plan.Leakage, LeakageGrouped: plan.LeakageGrouped, IdenticalImages: plan.IdenticalImages, Settings: plan.Settings,
		DurationSecs: p.Finished.Sub(p.Started).Seconds(),
		Writer:       rand.Text(),
		// A run succeeds only after a listing that equals the plan.
		Verified: p.State == state.Succeeded,
	}
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() error {
		dead, err := deadList(reading, t.Store, l)
		r.DeadCodes = countCodes(dead)
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

// writeTasksAndPage writes what people open beside report.json. before are the conditions of the
// writes.
func (t *Tracker) writeTasksAndPage(ctx context.Context, r *state.Report, plan *state.Plan, l *Ledger, before state.EndFiles) error {
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
		g.Go(func() error {
			page, err := t.Options.Page(ctx, r)
			if err != nil { // the page is only to look at: a run does not go on for ever without it
				t.log().Warn("a run ends without its "+state.PageName, zap.String("run", r.Run), zap.Error(err))
				return ctx.Err()
			}
			// Each report has a page and an ETag of its own.
			page = fmt.Appendf(page, "\n<!-- %s -->\n", r.Writer)
			_, err = t.Store.WriteEndFile(ctx, r.Run, state.PageName, page, before[state.PageName])
			return err
		})
	}
	return g.Wait()
}

// writeFinal writes the final report of an end that the pointer has, after all that is beside it.
func (t *Tracker) writeFinal(ctx context.Context, r *state.Report, cond bucket.Condition) error {
	r.Final = true
	_, err := t.Store.WriteReport(ctx, r, cond)
	return err
}

// writeReport writes the report of an ended run that has none, or one of an earlier end: a run that
// was halted, cancelled, left by its planner, or whose tracker died. Results that come after the
// end change its counts.
func (s *session) writeReport(ctx context.Context) error {
	p := s.run.ledger.Progress()
	end := endOf(s.run.pointer, p.Done, p.Outcomes)
	if end == s.reported {
		return nil
	}
	if err := s.writeEndReport(ctx, s.run.pointer.Pointer, s.run.plan, s.run.ledger); err != nil {
		return err
	}
	s.reported = end
	return nil
}

// endOf identifies the end of a run and the counts of its ledger.
func endOf(pointer state.PointerSnapshot, done int, outcomes map[messages.Outcome]int) string {
	return fmt.Sprint(pointer.Writer, done, outcomes)
}

// reportTries bounds the tries of several trackers that write the report of one end at once: the
// first succeeds.
const reportTries = 5

// writeEndReport writes the final report of a run whose pointer has the end, unless it is there.
func (t *Tracker) writeEndReport(ctx context.Context, p state.Pointer, plan *state.Plan, l *Ledger) (err error) {
	if p.State == state.Review {
		return nil
	}
	for range reportTries {
		if err = t.tryEndReport(ctx, p, plan, l); !errors.Is(err, state.ErrConflict) {
			return err
		}
	}
	return err
}

func (t *Tracker) tryEndReport(ctx context.Context, p state.Pointer, plan *state.Plan, l *Ledger) error {
	files, err := t.Store.EndFiles(ctx, p.Run)
	if err != nil {
		return err
	}
	before, err := t.Store.ReadReport(ctx, p.Run)
	if err != nil && !errors.Is(err, bucket.ErrNotFound) && !errors.Is(err, state.ErrDamaged) {
		return err
	}
	// Another end of the run changes the pointer before its files. So while the pointer is the
	// same, the files just read are of no later end, and a later end will change them.
	now, err := t.Store.Current(ctx, state.PointerSnapshot{})
	if err != nil {
		return err
	}
	if now.Writer != p.Writer {
		return fmt.Errorf("write the report of run %s: %w", p.Run, state.ErrConflict)
	}
	r, err := t.buildReport(ctx, p, plan, l, 0)
	if err != nil || before.Final && (sameCounts(before, r) || countsMore(before, r)) {
		return err
	}
	proposed := before.State == r.State && before.Reason == r.Reason
	if proposed {
		// Only the listing showed these.
		r.Verified, r.Differences, r.DifferenceList = before.Verified, before.Differences, before.DifferenceList
		r.Balance, r.Version, r.Warnings = before.Balance, before.Version, before.Warnings
	}
	// An end that was proposed is announced by the tracker that changed the pointer.
	first := !sameEnd(before, r) && (before.Final || !proposed)
	err = t.writeTasksAndPage(ctx, r, plan, l, files)
	if err == nil {
		err = t.writeFinal(ctx, r, files[state.ReportName])
	}
	if err != nil {
		return err
	}
	if first {
		t.announce(r)
	}
	return nil
}

// sameEnd reports whether two reports are of the same end of a run, which can be redriven and end
// again.
func sameEnd(a, b *state.Report) bool {
	return a.State == b.State && a.Reason == b.Reason && (a.Finished == nil) == (b.Finished == nil) &&
		(a.Finished == nil || a.Finished.Equal(*b.Finished))
}

func sameCounts(a, b *state.Report) bool {
	return sameEnd(a, b) && a.Done == b.Done && a.Dead == b.Dead && maps.Equal(a.Outcomes, b.Outcomes)
}

// countsMore reports whether a report of the same end counts more tasks than the ledger does now. A
// ledger only grows, so then it was lost.
func countsMore(report, now *state.Report) bool {
	return sameEnd(report, now) && advice.Accounted(report.Status) > advice.Accounted(now.Status)
}
