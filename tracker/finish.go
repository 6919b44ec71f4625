package tracker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// verdict decides how a run ends when all its tasks are accounted for and the destination has been
// listed.
//
//	dead                  | superseded | differences | the run has
//	----------------------+------------+-------------+------------
//	0                     | 0          | 0           | succeeded
//	> 0                   | any        | any         | failed: redrive the dead tasks
//	> 0, some source gone | any        | any         | failed: plan again, as a redrive fails too
//	0                     | > 0        | any         | failed: redrive the others
//	0                     | 0          | > 0         | failed: plan again
//
// deadCodes counts the dead tasks by the code of their reason.
func verdict(run string, p state.Progress, deadCodes map[string]int, found differences) (state.State, string) {
	switch {
	case p.Dead > 0 && advice.SourceGone(deadCodes):
		return state.Failed, fmt.Sprintf("%s dead, %d since the source image is gone: see shuffle dead %s; then shuffle plan, which does without it",
			figure.IsAre(p.Dead, "task"), deadCodes[bucket.CodeNoSuchKey], run)
	case p.Dead > 0:
		return state.Failed, fmt.Sprintf("%s dead: see shuffle dead %s; then shuffle redrive %s", figure.IsAre(p.Dead, "task"), run, run)
	case p.Superseded > 0:
		return state.Failed, fmt.Sprintf("%s superseded, not applied since the run was not in force: shuffle redrive %s", figure.IsAre(p.Superseded, "task"), run)
	case found.count > 0:
		return state.Failed, fmt.Sprintf("%s: %s; see %s of the run, and run shuffle plan again",
			figure.Count(found.count, "difference"), found.first[0], state.ReportName)
	}
	return state.Succeeded, ""
}

// verifyRun ends a run whose tasks are all accounted for: it lists, compares, publishes the
// version, writes the report, and changes the pointer last. Another tracker that finds the run in
// verifying can do each step again: it lists anew, keeps a version of the generation that exists,
// and writes over the report.
func (s *session) verifyRun(ctx context.Context) error {
	var before state.EndFiles // as another end has left them
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() error { return s.reloadLedger(reading) })
	g.Go(func() (err error) {
		before, err = s.Store.EndFiles(reading, s.run.plan.Run)
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	plan, ledger := s.run.plan, s.run.ledger
	if !ledger.Open().IsEmpty() {
		// A redrive has recorded its round just before the pointer changed to verifying.
		return s.swapPointer(ctx, func(p *state.Pointer) { p.State = state.Running })
	}
	// When Run is to return after the end of this run, it drains the queues during the check: late
	// results, and dead letters of tasks that are done. Empty queues take a second to answer. That
	// changes s.run.ledger, and not the ledger that is verified.
	var draining errgroup.Group
	if s.Options.UntilDone {
		draining.Go(func() error { return s.drainQueues(ctx, true) })
	}
	end := s.run.pointer.Pointer
	out, version, err := s.checkAndPublish(ctx, plan, &end, ledger)
	var retaining sync.WaitGroup
	defer retaining.Wait()
	if err == nil && version > 0 {
		retaining.Go(func() { s.retain(ctx, version) })
	}
	if err = errors.Join(err, draining.Wait()); err != nil {
		return err
	}
	if s.Options.UntilDone {
		s.drainedRun = s.run.pointer.Run
	}
	pointer, r, err := s.endRun(ctx, s.run.pointer, end, ending{plan: plan, ledger: ledger, out: out, before: before, version: version})
	if r != nil { // the run has ended, even if its report is not final
		s.adoptPointer(pointer)
	}
	if err != nil {
		return err
	}
	return s.confirmReport(ctx, r)
}

// confirmReport reads the ledger again. When no result has come during the check, the report that
// this session has just written counts every result.
func (s *session) confirmReport(ctx context.Context, r *state.Report) error {
	if err := s.reloadLedger(ctx); err != nil {
		return err
	}
	p, end := s.run.ledger.Progress(), endOf(s.run.pointer, r.Done, r.Outcomes)
	if endOf(s.run.pointer, p.Done, p.Outcomes) == end {
		s.reported, s.final = end, &r.Status
	}
	return nil
}

// checkAndPublish lists and compares, sets the end of the run accordingly, and if it has succeeded
// publishes its version. latest is the generation of the version that is the latest then; 0 when
// none was published.
func (t *Tracker) checkAndPublish(ctx context.Context, plan *state.Plan, end *state.Pointer, l *Ledger) (out *checked, latest int64, err error) {
	dead, err := deadList(ctx, t.Store, l)
	if err != nil {
		return nil, 0, err
	}
	if out, err = t.check(ctx, plan); err != nil {
		return nil, 0, err
	}
	end.State, end.Reason = verdict(end.Run, l.Progress(), countCodes(dead), out.differences)
	end.Finished = now()
	if end.State == state.Succeeded {
		v, err := version.Publish(ctx, t.Store, state.Version{
			Generation: plan.Generation, Run: plan.Run, Created: now(), Restores: plan.Restores, Settings: plan.Settings,
			Digests: out.digests, Bases: plan.Bases, Held: plan.Held(),
		}, out.parent, out.parts)
		if err != nil {
			return nil, 0, fmt.Errorf("publish version %d: %w", plan.Generation, err)
		}
		latest = v.Generation
	}
	return out, latest, nil
}

// ending is what the report of a run that was checked is made of.
type ending struct {
	plan   *state.Plan
	ledger *Ledger
	out    *checked       // nil: not listed again
	before state.EndFiles // as they were before the check
	// version is the generation of the latest dataset version, when this end has published it; 0:
	// it is read.
	version int64
}

// endRun proposes the report of a run that was checked, sets the pointer to the end, and then makes
// the report final. Several trackers may check at once, and each may be paused anywhere:
//
//	the report is proposed  if it is unchanged since before the check: of two trackers, one goes on
//	page and list           likewise: they exist when the run is seen to have ended
//	the pointer is changed  if it is unchanged: that tracker alone announces the end
//	the report is final     if it is the proposed one, by the tracker that changed the pointer
//
// When the last condition fails, or that tracker dies, writeEndReport writes all of them again. A
// final report differs from a proposed one, so that no tracker that has read the proposal can write
// over it.
func (t *Tracker) endRun(ctx context.Context, pointer state.PointerSnapshot, end state.Pointer, e ending) (state.PointerSnapshot, *state.Report, error) {
	r, err := t.buildReport(ctx, end, e.plan, e.ledger, e.version)
	if err != nil {
		return pointer, nil, err
	}
	e.out.addTo(r)
	etag, err := t.Store.WriteReport(ctx, r, e.before[state.ReportName])
	if err != nil {
		return pointer, nil, err
	}
	if err := t.writeTasksAndPage(ctx, r, e.plan, e.ledger, e.before); err != nil {
		return pointer, nil, err
	}
	next, err := t.Store.Swap(ctx, pointer, end)
	if err != nil {
		return pointer, nil, err
	}
	t.announce(r)
	err = t.writeFinal(ctx, r, bucket.Condition{IfMatch: etag})
	t.prune(ctx, next.Run)
	return next, r, err
}

// retain removes old versions, as KeepVersions says. A failure does not make a run worse: the next
// run tries again. When a later run has begun, retain leaves them all to that run: its version may
// share parts with a version before this one (version.Retain).
func (t *Tracker) retain(ctx context.Context, latest int64) {
	if t.Deleter == nil {
		return
	}
	pointer, err := t.Store.Current(ctx, state.PointerSnapshot{})
	if err != nil || pointer.Generation > latest {
		t.log().Info("old dataset versions are left to the next run", zap.Int64("latest", latest), zap.Error(err))
		return
	}
	removed, err := version.Retain(ctx, t.Store, t.Deleter, latest, t.Options.KeepVersions)
	if err != nil {
		t.log().Warn("old dataset versions could not be removed", zap.Error(err))
	}
	if len(removed) > 0 {
		t.log().Info("removed old dataset versions", zap.Int64s("generations", removed))
	}
}

// FinishEmpty ends a run of 0 tasks, whose pointer is publishing: it was verified by the listing
// that its plan was made from, so it has succeeded at once. It publishes a dataset version when
// there is none yet, or when the plan's episodes or settings are not as in the latest one. That
// takes another listing; if an episode has changed since the plan, the run has failed.
func (t *Tracker) FinishEmpty(ctx context.Context, pointer state.PointerSnapshot, plan *state.Plan) (state.PointerSnapshot, error) {
	if plan.Tasks != 0 {
		return pointer, fmt.Errorf("run %s has %d tasks", plan.Run, plan.Tasks)
	}
	if err := t.Store.EnsureSettings(ctx, plan); err != nil {
		return pointer, err
	}
	before, err := t.Store.EndFiles(ctx, plan.Run)
	if err != nil {
		return pointer, err
	}
	end := pointer.Pointer
	end.State, end.Reason, end.Finished = state.Succeeded, "", now()
	e := ending{plan: plan, ledger: NewLedger(plan.Run, plan.Generation, 0), before: before}
	latest, stale, err := t.versionIsStale(ctx, plan)
	switch {
	case err == nil && stale:
		e.out, e.version, err = t.checkAndPublish(ctx, plan, &end, e.ledger)
	case err == nil:
		err = t.Store.NameLatest(ctx, latest)
	}
	if err != nil {
		return pointer, err
	}
	if e.version > 0 {
		t.retain(ctx, e.version)
	}
	pointer, r, err := t.endRun(ctx, pointer, end, e)
	if r != nil && err != nil {
		t.log().Warn("a run has ended without a final report", zap.String("run", plan.Run), zap.Error(err))
		err = nil
	}
	return pointer, err
}

// versionIsStale reports whether the latest version differs from the plan in an episode or in the
// settings.
func (t *Tracker) versionIsStale(ctx context.Context, plan *state.Plan) (v state.Version, stale bool, err error) {
	v, err = t.Store.LatestVersion(ctx)
	if errors.Is(err, bucket.ErrNotFound) {
		return v, true, nil
	}
	if err != nil {
		return v, false, err
	}
	if !v.Definition.Equal(plan.Settings.Definition) {
		return v, true, nil // its classes have other numbers, or it would bring other settings back
	}
	for e, digest := range plan.Digests {
		if latest, ok := v.Digests[e]; latest != digest && (ok || digest != (dataset.Digest{}).String()) {
			return v, true, nil
		}
	}
	return v, false, nil
}

// addTo adds what the check found to the report. Without a check, the plan's own listing is what
// the datasets hold.
func (c *checked) addTo(r *state.Report) {
	r.Verified = true
	if c == nil {
		return
	}
	r.Differences, r.DifferenceList, r.Warnings = c.differences.count, c.differences.first, c.warnings
	listed := map[dataset.Place]bool{}
	for i, b := range r.Balance {
		p := dataset.Place{Dataset: b.Dataset, Class: b.Class}
		listed[p] = true
		r.Balance[i].After = c.counts[p]
	}
	for _, p := range slices.SortedFunc(maps.Keys(c.counts), dataset.Place.Compare) {
		if !listed[p] {
			r.Balance = append(r.Balance, state.Balance{Dataset: p.Dataset, Class: p.Class, After: c.counts[p]})
		}
	}
}

// prune removes old runs when a run has ended. A failure does not make that run worse: the end of
// the next run tries again.
func (t *Tracker) prune(ctx context.Context, ended string) {
	if t.Deleter == nil {
		return
	}
	removed, err := t.Store.Prune(ctx, t.Deleter, ended, t.Options.KeepRuns)
	if err != nil {
		t.log().Warn("old runs could not be removed", zap.Error(err))
	}
	if len(removed) > 0 {
		t.log().Info("removed old runs", zap.Strings("runs", removed))
	}
}
