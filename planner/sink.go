package planner

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// sink takes the episodes' changes in whatever order they come, numbers the tasks and saves them in chunks.
type sink struct {
	d    *draft
	plan *state.Plan

	turn    chan struct{} // holds one while somebody adds. It is no mutex, for its holder waits for the bucket, and who waits for it may be told to stop
	pending []messages.Task
	chunk   int
	sum     *summary
	effect  *settingsEffect // nil before the first published run

	writes  *errgroup.Group // of chunks
	writing context.Context // of them; it ends with the first that fails
}

// chunksAtOnce bounds the memory of the chunks that are being saved, 5 MB each.
const chunksAtOnce = 4

func newSink(ctx context.Context, d *draft, plan *state.Plan) *sink {
	s := &sink{d: d, plan: plan, turn: make(chan struct{}, 1), sum: newSummary()}
	if d.chosen.inForce.Exists() {
		s.effect = newSettingsEffect(d.assign.Split)
	}
	s.writes, s.writing = errgroup.WithContext(ctx)
	s.writes.SetLimit(chunksAtOnce)
	return s
}

// add counts in the plan of one episode.
func (s *sink) add(ctx context.Context, e dataset.Episode, url string, in EpisodeInput, out EpisodeChanges) error {
	row := state.EpisodePlan{Season: e.Season(), Episode: e.Code(), State: state.EpisodePlanned, Sheet: url, Totals: out.Totals, Reason: out.Held, Cause: out.Cause}
	s.d.describe(ctx, &row, in, out.Problems)
	if err := s.saveProblems(ctx, &row, out.Problems); err != nil {
		return err
	}
	if out.Held != "" {
		row.State = state.EpisodeHeld
	}
	digest := in.Standing.Digest().String()
	if out.Held == "" && len(out.Tasks) > 0 && s.d.run != nil {
		if err := s.d.p.Store.WriteExpected(ctx, s.d.run.Run, e, out.Expected); err != nil {
			return err
		}
	}
	if len(out.Changes) > 0 && s.d.run != nil {
		if err := s.d.p.Store.WriteChanges(ctx, s.d.run.Run, e, out.Changes); err != nil {
			return err
		}
	}
	var trial trialEpisode
	if s.d.trial != nil && out.Held == "" {
		trial = newTrialEpisode(in)
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	row.FirstSeq = s.plan.Tasks
	s.plan.Episodes = append(s.plan.Episodes, row)
	s.plan.Changes = append(s.plan.Changes, state.CountChanges(e, out.Changes)...)
	if s.d.opt.OnChanges != nil && len(out.Changes) > 0 {
		if err := s.d.opt.OnChanges(e, out.Changes); err != nil {
			return err
		}
	}
	if out.Held != "" {
		return nil
	}
	s.plan.Totals = s.plan.Totals.Add(out.Totals)
	s.plan.Digests[e] = digest
	if in.Sheet.Base != "" {
		s.plan.Bases[e] = in.Sheet.Base
	}
	s.sum.add(in.Standing, out.Expected, in.Assign)
	if s.effect != nil {
		s.effect.add(e, in.Standing, out.Expected)
	}
	if s.d.trial != nil {
		s.d.trial.episodes = append(s.d.trial.episodes, trial)
	}
	for _, t := range out.Tasks {
		s.task(t)
	}
	return context.Cause(s.writing)
}

// task numbers a task and has the chunk saved that it fills.
func (s *sink) task(t messages.Task) {
	t.Run, t.Gen, t.Seq, t.Scope = s.plan.Run, s.plan.Generation, uint32(s.plan.Tasks), s.d.p.Store.Scope
	s.plan.Tasks++
	if s.d.onTask != nil {
		s.d.onTask(t)
	}
	if s.d.run == nil {
		return
	}
	if s.pending == nil {
		s.pending = make([]messages.Task, 0, state.ChunkTasks)
	}
	if s.pending = append(s.pending, t); len(s.pending) == state.ChunkTasks {
		s.flush()
	}
}

// flush saves the chunk while the planning goes on.
func (s *sink) flush() {
	chunk, tasks := s.chunk, s.pending
	s.writes.Go(func() error { return s.d.p.Store.WriteTasks(s.writing, s.plan.Run, chunk, tasks) })
	s.chunk, s.pending = s.chunk+1, nil
}

// finish saves the last chunk and completes the plan's report.
func (s *sink) finish(ctx context.Context, lists int64) (err error) {
	if len(s.pending) > 0 {
		s.flush()
	}
	slices.SortFunc(s.plan.Episodes, func(a, b state.EpisodePlan) int { return strings.Compare(string(a.Name()), string(b.Name())) })
	state.SortChangeCounts(s.plan.Changes)
	s.plan.Balance = s.sum.balance(s.plan.Settings)
	s.plan.MissingClasses = missing(s.plan.Balance, s.d.assign.Split)
	s.plan.RareClasses = s.sum.units.rare(s.d.p.Config.MinPerClass, s.d.assign.Split, s.plan.Settings.Classes, s.sum.after)
	s.plan.Leakage, s.plan.LeakageGrouped = s.sum.leak.share(), s.sum.grouped.share()
	s.plan.CostUSD, s.plan.Seconds = estimate(s.plan, lists)
	if s.effect != nil {
		s.plan.DatasetChanges, err = s.effect.result(ctx, s.d.p.Store, s.d.chosen.changed())
	}
	if s.d.trial != nil && err == nil {
		err = s.seeds(ctx)
	}
	if err == nil {
		err = s.classNumbers(ctx)
	}
	return cmp.Or(s.writes.Wait(), err)
}

// classNumbers adds to the plan which classes get another number in the next dataset version than in the newest.
func (s *sink) classNumbers(ctx context.Context) error {
	latest, err := s.d.last.get(ctx)
	if err != nil || latest.Generation == 0 {
		return err
	}
	frames := map[string]int{} // of each class when the plan is done, also in the episodes that it does not touch
	for _, classes := range latest.Counts {
		for class, n := range classes {
			frames[class] += n
		}
	}
	for _, b := range s.plan.Balance {
		frames[b.Class] += b.After - b.Before
	}
	names := slices.Clone(s.plan.Settings.Classes)
	for class, n := range frames {
		if n > 0 && class != "" && !slices.Contains(names, class) {
			names = append(names, class)
		}
	}
	s.plan.ClassNumbers = state.ClassNumberChanges(latest.ClassNames(), names)
	return nil
}

// seeds adds to the plan what other seeds would do.
func (s *sink) seeds(ctx context.Context) (err error) {
	inForce := s.d.chosen.inForce
	s.plan.Seeds, err = s.d.trial.try(ctx, seedsToTry(s.d.opt.Seeds, inForce.Settings.Seed, s.d.opt.Seed))
	for i := range s.plan.Seeds {
		s.plan.Seeds[i].InForce = inForce.Exists() && s.plan.Seeds[i].Seed == inForce.Settings.Seed
	}
	return err
}
