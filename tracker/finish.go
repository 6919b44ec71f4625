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

// verdict says how a run ends when all its tasks are accounted for and the destination has been
// listed.
//
//	dead                  | superseded | differences | the run has
//	----------------------+------------+-------------+------------
//	0                     | 0          | 0           | succeeded
//	> 0                   | any        | any         | failed: redrive the dead tasks
//	> 0, some source gone | any        | any         | failed: plan again, since those tasks fail at each attempt
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

// verify ends a run whose tasks are all accounted for: it lists, compares, publishes the version,
// writes the report, and last changes the pointer. Each step can be done again by another tracker
// that finds the run in verifying: the listing is made anew, a version of the generation that is
// there stays as it is, and the report is written over.
func (s *session) verify(ctx context.Context) error {
	before, err := s.beforeCheck(ctx)
	if err != nil {
		return err
	}
	ledger := s.ledger
	if !ledger.Open().IsEmpty() {
		// A redrive has recorded its round just before the pointer changed to verifying.
		return s.swap(ctx, func(p *state.Pointer) { p.State = state.Running })
	}
	// Run returns after the end of this run when it is to, and what the queues still hold by then,
	// late results and letters of tasks that are done, is taken in meanwhile: with nothing in them,
	// that takes a second. It changes s.ledger, and not what is verified.
	var meanwhile errgroup.Group
	if s.Options.UntilDone {
		meanwhile.Go(func() error { return s.drain(ctx, true) })
	}
	end := s.pointer.Pointer
	out, version, err := s.checkAndPublish(ctx, s.plan, &end, ledger)
	var retaining sync.WaitGroup
	defer retaining.Wait()
	if err == nil && version > 0 {
		retaining.Go(func() { s.retain(ctx, version) })
	}
	if err = errors.Join(err, meanwhile.Wait()); err != nil {
		return err
	}
	if s.Options.UntilDone {
		s.drained = s.pointer.Run
	}
	pointer, r, err := s.end(ctx, s.pointer, end, ending{plan: s.plan, ledger: ledger, out: out, before: before, version: version})
	if r != nil { // it has ended, even if its report is not final
		s.goBy(pointer, true)
	}
	if err != nil {
		return err
	}
	return s.afterEnd(ctx, r)
}

// afterEnd looks whether the report that this session has just written says all that is known: a
// result may have come meanwhile.
func (s *session) afterEnd(ctx context.Context, r *state.Report) error {
	told := s.mark(r.Done, r.Outcomes)
	if err := s.readLedger(ctx); err != nil {
		return err
	}
	p := s.ledger.Progress()
	if s.mark(p.Done, p.Outcomes) == told {
		s.settled, s.closed = told, &r.Status
	}
	return nil
}

// beforeCheck reads what must be known before the check: the ledger as it is now, and the report,
// if another end has left one.
func (s *session) beforeCheck(ctx context.Context) (before state.EndFiles, err error) {
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() error { return s.readLedger(reading) })
	g.Go(func() (err error) {
		before, err = s.Store.EndFiles(reading, s.plan.Run)
		return err
	})
	err = g.Wait()
	return before, err
}

// checkAndPublish lists and compares, sets the end of the run accordingly, and if it has succeeded
// publishes its version. It gives the generation of the version that is the latest then; 0 when
// none was published.
func (t *Tracker) checkAndPublish(ctx context.Context, plan *state.Plan, end *state.Pointer, l *Ledger) (out *checked, version int64, err error) {
	dead, err := deadList(ctx, t.Store, l)
	if err != nil {
		return nil, 0, err
	}
	if out, err = t.check(ctx, plan); err != nil {
		return nil, 0, err
	}
	end.State, end.Reason = verdict(end.Run, l.Progress(), codes(dead), out.differences)
	end.Finished = now()
	if end.State == state.Succeeded {
		version, err = t.publishVersion(ctx, plan, out)
	}
	return out, version, err
}

// ending is what the report of a run that was checked is made of.
type ending struct {
	plan   *state.Plan
	ledger *Ledger
	out    *checked       // nil: not listed again
	before state.EndFiles // as they were before the check
	// version is the generation of the latest dataset version, when this end has published it; 0:
	// it is looked up.
	version int64
}

// end proposes the report of a run that was checked, sets the pointer to the end, and then makes
// the report final. Several trackers may check at once, and each may be paused anywhere:
//
//	the report is proposed   on the condition that it is as it was before the check: of two, one goes on
//	page and list            likewise: who sees that the run has ended finds them
//	the pointer is changed   likewise: that tracker alone announces the end
//	the report is final      by the tracker that changed the pointer, on the condition that it is the proposed one; otherwise, or
//	                         when that tracker dies, settle writes all of them again. A final report differs from a proposed
//	                         one, so that no tracker that saw the proposal can write over it
func (t *Tracker) end(ctx context.Context, pointer state.PointerSnapshot, end state.Pointer, e ending) (state.PointerSnapshot, *state.Report, error) {
	r, err := t.report(ctx, end, e.plan, e.ledger, e.version)
	if err != nil {
		return pointer, nil, err
	}
	e.out.describe(r)
	etag, err := t.Store.WriteReport(ctx, r, e.before[state.ReportName])
	if err != nil {
		return pointer, nil, err
	}
	if err := t.saveBeside(ctx, r, e.plan, e.ledger, e.before); err != nil {
		return pointer, nil, err
	}
	next, err := t.Store.Swap(ctx, pointer, end)
	if err != nil {
		return pointer, nil, err
	}
	t.announce(r)
	err = t.makeFinal(ctx, r, bucket.Condition{IfMatch: etag})
	t.prune(ctx, next.Run)
	return next, r, err
}

// publishVersion publishes the dataset version that a verified plan leaves, and gives the
// generation of the one that is the latest then.
func (t *Tracker) publishVersion(ctx context.Context, plan *state.Plan, out *checked) (int64, error) {
	v, err := version.Publish(ctx, t.Store, state.Version{
		Generation: plan.Generation, Run: plan.Run, Created: now(), Restores: plan.Restores, Settings: plan.Settings,
		Digests: out.digests, Bases: plan.Bases, Held: plan.Held(),
	}, out.parent, out.parts)
	if err != nil {
		return 0, fmt.Errorf("publish version %d: %w", plan.Generation, err)
	}
	return v.Generation, nil
}

// retain removes the versions that are too old beside the latest. That they could not be removed
// does not make a run worse: the next one tries again. When a later run has begun, it leaves all of
// them to that one: its version may be on its way already, made beside a version before this one
// (version.Retain).
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
	pointer, r, err := t.end(ctx, pointer, end, e)
	if r != nil && err != nil {
		t.log().Warn("a run has ended without a final report", zap.String("run", plan.Run), zap.Error(err))
		err = nil
	}
	return pointer, err
}

// versionIsStale says whether the latest version does not show the planned episodes as they stand,
// or has other settings.
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
		if stood, ok := v.Digests[e]; stood != digest && (ok || digest != (dataset.Digest{}).String()) {
			return v, true, nil
		}
	}
	return v, false, nil
}

// describe puts what the check found into the report. Without a check, what the plan was made from
// is what stands.
func (c *checked) describe(r *state.Report) {
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

// Cancel stops the run in force. Workers stop applying its tasks within the fence (see package
// state).
func (t *Tracker) Cancel(ctx context.Context, run string) (state.Status, error) {
	for {
		pointer, err := t.Store.Current(ctx, state.PointerSnapshot{})
		if err != nil {
			return state.Status{}, err
		}
		if err := inForce(pointer, run); err != nil {
			return state.Status{}, err
		}
		if !pointer.State.Active() && pointer.State != state.Review {
			return state.Status{}, fmt.Errorf("run %s has ended already: %s", run, pointer.State)
		}
		next := pointer.Pointer
		next.State, next.Reason, next.Finished = state.Cancelled, "stopped by shuffle cancel; shuffle plan begins a new run", now()
		if pointer, err = t.Store.Swap(ctx, pointer, next); errors.Is(err, state.ErrConflict) {
			continue // it goes on: look again
		}
		if err != nil {
			return state.Status{}, err
		}
		t.log().Info("run cancelled", zap.String("run", run))
		if err := t.settleCurrent(ctx, pointer); err != nil && !errors.Is(err, state.ErrConflict) { // another run has begun
			return state.Status{}, err
		}
		return state.ReadStatus(ctx, t.Store, run)
	}
}

// inForce refuses a run that is not the one in force.
func inForce(pointer state.PointerSnapshot, run string) error {
	switch {
	case !pointer.Exists():
		return fmt.Errorf("%w: there is no run yet; shuffle plan begins the first", state.ErrNoRun)
	case pointer.Run != run:
		return fmt.Errorf("run %.60s is no longer in force; the newest is %s (%s), and what is still to do comes with it or with shuffle plan", run, pointer.Run, pointer.State)
	}
	return nil
}
