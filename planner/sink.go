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

// sink receives the changes of the episodes in any order. It numbers the tasks and saves them in
// chunks. newSink sets the fields of the first part. add and finish change those of the second.
type sink struct {
	p      *Planner
	plan   *state.Plan // add and finish complete it
	split  Split
	saves  bool                // the plan belongs to a run, and its tasks are saved
	onTask func(messages.Task) // receives every task; nil: no call
	trial  *seedTrial          // collects the input for trials of other seeds; nil: no trials
	// onChanges receives the changes of each episode; nil: no call.
	onChanges func(dataset.Episode, []state.FrameChange) error
	earlier   *earlierProblems

	// turn has one value while an add changes the second part. It is a channel and not a mutex, so
	// that ctx can end the wait for it.
	turn    chan struct{}
	pending []messages.Task
	chunk   int
	sum     *summary
	effect  *settingsEffect // nil before the first published run

	writes  *errgroup.Group // for the writes of the chunks
	writing context.Context // the context of the writes; it ends when one of them fails
}

// chunksAtOnce bounds the memory of the chunks that are being saved, 5 MB each.
const chunksAtOnce = 4

// newSink returns a sink for a plan that has only its header.
func newSink(ctx context.Context, p *Planner, plan *state.Plan, split Split, inForce state.InForce) *sink {
	s := &sink{p: p, plan: plan, split: split, saves: plan.Run != "", turn: make(chan struct{}, 1), sum: newSummary()}
	s.earlier = &earlierProblems{store: p.Store, run: plan.Run}
	if inForce.Exists() {
		s.effect = newSettingsEffect(split)
	}
	s.writes, s.writing = errgroup.WithContext(ctx)
	s.writes.SetLimit(chunksAtOnce)
	return s
}

// add adds the plan of one episode.
func (s *sink) add(ctx context.Context, sheetURL string, in EpisodeInput, out EpisodeChanges) error {
	e := in.Episode
	row := state.EpisodePlan{Season: e.Season(), Episode: e.Code(), State: state.EpisodePlanned, Sheet: sheetURL, Totals: out.Totals, Reason: out.Held, Cause: out.Cause}
	if s.plan.Restores > 0 { // a restore reads no sheet
		countProblems(&row, out.Problems)
	} else {
		s.earlier.describe(ctx, &row, in, out.Problems)
	}
	if out.Held != "" {
		row.State = state.EpisodeHeld
	}
	digest := in.Standing.Digest().String()
	if err := s.save(ctx, &row, out); err != nil {
		return err
	}
	var trial trialEpisode
	if s.trial != nil && out.Held == "" {
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
	if s.onChanges != nil && len(out.Changes) > 0 {
		if err := s.onChanges(e, out.Changes); err != nil {
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
	if s.trial != nil {
		s.trial.episodes = append(s.trial.episodes, trial)
	}
	for _, t := range out.Tasks {
		s.task(t)
	}
	return context.Cause(s.writing)
}

// save saves what the episode is expected to hold after the run, for the verification, and what
// people read later: the changes with their causes, and all problems when the plan lists only the
// first ones.
func (s *sink) save(ctx context.Context, row *state.EpisodePlan, out EpisodeChanges) error {
	if !s.saves {
		return nil
	}
	g, saving := errgroup.WithContext(ctx)
	if out.Held == "" && len(out.Tasks) > 0 {
		g.Go(func() error { return s.p.Store.WriteExpected(saving, s.plan.Run, row.Name(), out.Expected) })
	}
	if len(out.Changes) > 0 {
		g.Go(func() error { return s.p.Store.WriteChanges(saving, s.plan.Run, row.Name(), out.Changes) })
	}
	if row.MoreProblems > 0 {
		g.Go(func() error { return s.p.Store.WriteProblems(saving, s.plan.Run, row.Name(), out.Problems) })
	}
	return g.Wait()
}

// task numbers a task. It saves the chunk when the task fills it.
func (s *sink) task(t messages.Task) {
	t.Run, t.Gen, t.Seq, t.Scope = s.plan.Run, s.plan.Generation, uint32(s.plan.Tasks), s.p.Store.Scope
	s.plan.Tasks++
	if s.onTask != nil {
		s.onTask(t)
	}
	if !s.saves {
		return
	}
	if s.pending == nil {
		s.pending = make([]messages.Task, 0, state.ChunkTasks)
	}
	if s.pending = append(s.pending, t); len(s.pending) == state.ChunkTasks {
		s.flush()
	}
}

// flush saves the chunk in the background while the planning goes on.
func (s *sink) flush() {
	chunk, tasks := s.chunk, s.pending
	s.writes.Go(func() error { return s.p.Store.WriteTasks(s.writing, s.plan.Run, chunk, tasks) })
	s.chunk, s.pending = s.chunk+1, nil
}

// finish saves the last chunk and completes the report of the plan.
func (s *sink) finish(ctx context.Context, in inputs) (err error) {
	if len(s.pending) > 0 {
		s.flush()
	}
	plan := s.plan
	slices.SortFunc(plan.Episodes, func(a, b state.EpisodePlan) int { return strings.Compare(string(a.Name()), string(b.Name())) })
	state.SortChangeCounts(plan.Changes)
	plan.Balance = s.sum.balance(plan.Settings)
	plan.MissingClasses = missing(plan.Balance, s.split)
	plan.RareClasses = s.sum.units.rare(s.p.Config.MinPerClass, s.split, plan.Settings.Classes, s.sum.after)
	plan.Leakage, plan.LeakageGrouped = s.sum.leak.share(), s.sum.grouped.share()
	plan.IdenticalImages = s.sum.images.identical()
	plan.CostUSD, plan.Seconds = estimate(plan, in.lister.requests.Load())
	if s.effect != nil {
		plan.DatasetChanges, err = s.effect.result(ctx, s.p.Store, in.chosen.changed())
	}
	if s.trial != nil && err == nil {
		inForce := in.chosen.inForce
		plan.Seeds, err = s.trial.try(ctx, seedsToTry(in.opt.Seeds, inForce.Settings.Seed, in.opt.Seed))
		for i := range plan.Seeds {
			plan.Seeds[i].InForce = inForce.Exists() && plan.Seeds[i].Seed == inForce.Settings.Seed
		}
	}
	if err == nil {
		plan.ClassNumbers, err = s.classNumbers(ctx, in.latest)
	}
	return cmp.Or(s.writes.Wait(), err)
}

// classNumbers lists the classes whose number in the next dataset version differs from the number
// in the newest version.
func (s *sink) classNumbers(ctx context.Context, last *lastVersion) ([]state.ClassNumber, error) {
	latest, err := last.get(ctx)
	if err != nil || latest.Generation == 0 {
		return nil, err
	}
	// The frames of each class when the plan is done, with the episodes that the plan does not
	// change.
	frames := map[string]int{}
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
	return state.ClassNumberChanges(latest.ClassNames(), names), nil
}

// Prices in dollars a request (S3 Standard and SQS standard queues, us-west-2). DELETE is free.
const (
	priceWrite = 5e-6   // COPY, PUT, LIST
	priceRead  = 0.4e-6 // GET, HEAD
	priceSQS   = 0.4e-6 // up to 64 KiB
)

// What one run needs besides the copies of its tasks, as an estimate.
const (
	// A task needs a tenth each of a send, a receive and a delete. A message has a hundred results.
	sqsPerTask     = 0.3
	resultsPerSQS  = 100    // results in one message
	tasksPerSecond = 2500.0 // of one worker, see docs/speed.md
	statePuts      = 25     // pointer, plan, report, dataset version
	sqsIdle        = 20     // empty receives
)

// estimate predicts the dollars for the requests of the run, and the seconds that it takes with one
// worker. lists is the number of LIST requests of the plan. The verification lists the datasets
// once more.
func estimate(p *state.Plan, lists int64) (dollars, seconds float64) {
	copies := p.Totals.Copy + p.Totals.Move + p.Totals.Refresh
	frames := 0
	for _, b := range p.Balance {
		frames += b.After
	}
	if p.Tasks == 0 {
		return float64(lists)*priceWrite + 10*priceWrite, 0
	}
	seconds = float64(p.Tasks)/tasksPerSecond + state.DefaultFence.Quiet().Seconds()
	writes := float64(copies) + float64(lists) + float64(frames)/1000 + float64(len(p.Balance)) +
		// The tracker writes the ledger about once a second.
		float64(2*state.Chunks(p.Tasks)+statePuts) + seconds
	sqs := float64(p.Tasks)*(sqsPerTask+3.0/resultsPerSQS) + sqsIdle
	return writes*priceWrite + sqs*priceSQS + seconds*priceRead, seconds
}
