// Package planner compares what the sheets want with the copies in the bucket. It publishes the
// difference, one task a frame.
//
// The core, Decide, PlanEpisode, Assigner and the summary, are pure functions. Around it, Planner
// reads manifests, sheets and listings, acquires the pointer for its run, saves the plan and
// publishes it.
//
// # What happens when the planner dies
//
//	while planning    nothing is published; the next planner takes over with a new generation
//	while publishing  the whole plan is in the bucket; the next planner or tracker sends the rest
//	after that        the run does not need a planner
//
// When a planner acquires the pointer, workers may still act on the run before. Meanwhile the
// planner reads the sheets and the source listings. It lists the datasets only when
// state.Fence.Quiet has passed, see package state.
package planner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Sheets reads a whole worksheet. The gid "" is the first worksheet.
type Sheets interface {
	Values(ctx context.Context, spreadsheetID, gid string) (sheet.Values, error)
}

// Bucket reads the objects that are not part of the state.
type Bucket interface {
	ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error)
	GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error)
}

// Planner makes plans and publishes them.
type Planner struct {
	Store  *state.Store
	Bucket Bucket
	Sheets Sheets
	Tasks  queue.BatchSender
	// Finish ends a run without tasks whose pointer is publishing.
	Finish func(context.Context, state.PointerSnapshot, *state.Plan) (state.PointerSnapshot, error)
	// WakeTracker sends a message that starts a tracker if none runs; nil: a tracker cannot be
	// started.
	WakeTracker func(context.Context) error
	// OnPublish receives a plan with tasks before the first task is sent; nil: no call.
	OnPublish func(*state.Plan)
	// Progress receives each step that takes a while, and the zero Step when the step is over. nil:
	// the planner logs the steps.
	Progress func(Step)
	Config   Config
	Log      *zap.Logger
	// Now is the clock for the names of runs; nil is time.Now.
	Now func() time.Time
	// NameRun names a run; nil is state.NewRunName. It is for tests that compare names.
	NameRun func(begun time.Time, generation int64) string
}

// ErrUsage reports a call that cannot be carried out with its arguments.
var ErrUsage = errors.New("usage")

// ActiveError reports that another run has not ended.
type ActiveError struct {
	Run   string
	State state.State
	// Note is why the run does not go on. Tracker is what the planner did about a tracker that
	// seems to be gone. Both are usually "".
	Note, Tracker string
}

func (e *ActiveError) Error() string {
	text := fmt.Sprintf("run %s is active (%s): follow it (shuffle status --watch), carry it to its end (shuffle run --resume), stop it (shuffle cancel %s), or plan with --supersede",
		e.Run, e.State, e.Run)
	for _, more := range []string{e.Note, e.Tracker} {
		if more != "" {
			text += "\n  " + more
		}
	}
	return text
}

// Plan makes a plan and, unless it is a dry run or a review, publishes it. If another planner has
// left a run while publishing, Plan finishes that run instead and returns its plan. If another run
// is active, it returns an *ActiveError.
func (p *Planner) Plan(ctx context.Context, opt Options) (*state.Plan, error) {
	in, err := p.readInputs(ctx, opt, nil)
	if err != nil {
		return nil, err
	}
	if opt.DryRun {
		return in.plan(ctx, purpose{})
	}
	pointer, quiet, err := p.begin(ctx, opt, in.progress)
	if err != nil {
		return nil, err
	}
	if pointer.State == state.Publishing {
		return p.resume(ctx, pointer)
	}
	p.log().Info("planning", zap.String("run", pointer.Run))
	lease := p.keep(ctx, pointer, in.progress.note)
	plan, err := in.planAndSave(lease.ctx, purpose{run: pointer.Pointer, quiet: quiet})
	if err != nil {
		return nil, lease.fail(ctx, err)
	}
	next := state.Publishing
	if opt.Review {
		next = state.Review
	}
	pointer, err = lease.advance(ctx, func(ptr *state.Pointer) {
		ptr.State, ptr.Tasks, ptr.Published = next, plan.Tasks, 0
	})
	if err != nil {
		return nil, err
	}
	if opt.Review {
		plan.State = state.Review
		return plan, nil
	}
	return p.publish(ctx, pointer, plan)
}

// planAndSave plans with the settings that are in force under the lease, and saves the plan.
func (in inputs) planAndSave(ctx context.Context, what purpose) (_ *state.Plan, err error) {
	if in.chosen, in.latest, err = in.chooseSettings(ctx); err != nil {
		return nil, err
	}
	plan, err := in.plan(ctx, what)
	if err != nil {
		return nil, err
	}
	if err := in.sameSettings(ctx); err != nil {
		return nil, err
	}
	return plan, in.p.Store.WritePlan(ctx, plan)
}

// purpose is why a plan is made. The zero purpose is a dry run.
type purpose struct {
	run    state.Pointer               // the run that the plan is saved for; without one nothing is written
	quiet  func(context.Context) error // waits until no worker acts on an older run; nil: no wait
	onTask func(messages.Task)         // receives every task; nil: no call
}

// plan makes a plan in three steps: its header, then its episodes, then the totals of all episodes.
// The sink receives the plan of each episode. It writes each chunk of tasks as soon as it is full.
func (in inputs) plan(ctx context.Context, what purpose) (*state.Plan, error) {
	assign, err := newAssigner(in.chosen.Definition)
	if err != nil {
		return nil, err
	}
	plan := in.header(assign.Split, what.run)
	if plan.Options, err = json.Marshal(in.opt); err != nil {
		return nil, fmt.Errorf("encode the plan's options: %w", err)
	}
	sink := newSink(ctx, in.p, plan, assign.Split, in.chosen.inForce)
	sink.onTask, sink.onChanges = what.onTask, in.opt.OnChanges
	label := func(string, []Labelled) {}
	if in.opt.Seeds > 0 {
		sink.trial = &seedTrial{assign: *assign, least: in.p.Config.MinPerClass, classes: in.chosen.Classes}
		label = sink.trial.label
	}
	if err := in.compareEpisodes(ctx, what.quiet, assign, plan, sink.add, label); err != nil {
		_ = sink.writes.Wait() // the planning has already failed, perhaps because a write failed
		return nil, err
	}
	return plan, sink.finish(ctx, in)
}

// compareEpisodes plans the episodes, from the sheets or from the version to restore. It adds the
// orphans and strays to the plan, which belong to no episode.
func (in inputs) compareEpisodes(ctx context.Context, quiet func(context.Context) error, a *Assigner, plan *state.Plan, add planned, label func(string, []Labelled)) error {
	ctx, cancel := context.WithCancel(ctx)
	var background errgroup.Group
	defer func() { cancel(); _ = background.Wait() }()
	c, err := in.compare(ctx, &background, a, plan.Settings.Listed, quiet)
	if err != nil {
		return err
	}
	if in.back != nil {
		err = c.restore(ctx, add)
	} else {
		plan.Orphans, err = c.sheets(ctx, add, label)
	}
	if err == nil {
		plan.Strays, err = c.dest.CountStrays(ctx, false)
	}
	return err
}

// publish sends the tasks of a saved plan whose pointer is publishing.
func (p *Planner) publish(ctx context.Context, pointer state.PointerSnapshot, plan *state.Plan) (*state.Plan, error) {
	var err error
	plan.State = pointer.State
	if plan.Tasks == 0 {
		last := pointer
		if pointer, err = p.Finish(ctx, last, plan); errors.Is(err, state.ErrConflict) {
			pointer, err = p.Store.Overtaken(ctx, last, err)
		}
	} else {
		if p.OnPublish != nil {
			p.OnPublish(plan)
		}
		pointer, err = state.Publish(ctx, p.Store, pointer, p.Tasks)
	}
	if errors.Is(err, state.ErrConflict) {
		return nil, fmt.Errorf("publish run %s: another process goes on with it, or has cancelled or superseded it: %w; see shuffle status", plan.Run, err)
	}
	if err != nil {
		return nil, fmt.Errorf("publish run %s: %w; the next shuffle plan goes on with it", plan.Run, err)
	}
	plan.State = pointer.State
	p.log().Info("published", zap.String("run", plan.Run), zap.Int("tasks", plan.Tasks), zap.String("state", string(pointer.State)))
	return plan, nil
}

// resume finishes the publication that another planner has left unfinished.
func (p *Planner) resume(ctx context.Context, pointer state.PointerSnapshot) (*state.Plan, error) {
	p.log().Info("finishing the publication that another planner left", zap.String("run", pointer.Run),
		zap.Int("chunks_sent", pointer.Published), zap.Int("chunks", state.Chunks(pointer.Tasks)))
	plan, err := p.Store.PlanInForce(ctx, pointer.Pointer)
	if err == nil {
		plan, err = p.publish(ctx, pointer, plan)
	}
	if !state.Lost(err) {
		return plan, err
	}
	// The rest of the run cannot be published. The run ends, so that the next plan starts a new
	// one.
	next := pointer.Pointer
	next.State, next.Finished = state.Failed, p.now().UTC().Truncate(time.Second)
	next.Reason = "publishing: " + err.Error() + "; run shuffle plan, which plans what is still to do"
	now, readErr := p.Store.Current(ctx, state.PointerSnapshot{})
	if readErr == nil && now.Run == pointer.Run && now.State == state.Publishing {
		next.Published, next.Heartbeat = now.Published, now.Heartbeat+1
		_, readErr = p.Store.Swap(ctx, now, next)
	}
	return nil, errors.Join(fmt.Errorf("run %s, whose publication another planner left, has ended as failed: %w; run shuffle plan again", pointer.Run, err), readErr)
}

func (p *Planner) log() *zap.Logger {
	if p.Log == nil {
		return zap.NewNop()
	}
	return p.Log
}

func (p *Planner) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// header returns a plan without episodes. It has the run and the settings.
func (in inputs) header(split Split, run state.Pointer) *state.Plan {
	plan := &state.Plan{
		State: state.DryRun, Problems: in.names.problems, Episodes: []state.EpisodePlan{}, Restores: in.opt.Restore,
		Digests: map[dataset.Episode]string{}, Bases: map[dataset.Episode]string{}, Given: in.chosen.given,
		Settings: state.Settings{Definition: in.chosen.Definition, Datasets: split.Datasets(), ImageSize: in.p.Config.ImageSize},
	}
	plan.Settings.Listed = slices.Clone(plan.Settings.Datasets)
	listed := in.chosen.inForce.Datasets
	if in.back != nil {
		listed = slices.Concat(listed, in.back.version.Datasets, in.back.version.Listed)
	}
	for _, name := range listed {
		if !slices.Contains(plan.Settings.Listed, name) {
			plan.Settings.Listed = append(plan.Settings.Listed, name)
		}
	}
	if in.back != nil && in.fixed == nil {
		plan.RestoredSettings = in.chosen.ChangesTo(in.back.version.Definition)
	}
	if in.chosen.changed() {
		plan.InForce = &in.chosen.inForce.Settings
	} else {
		plan.SettingsSince = in.chosen.inForce.Since
	}
	plan.SeedDrawn = in.opt.Restore == 0 && in.opt.Seed == "" && plan.Settings.Seed != in.chosen.inForce.Settings.Seed
	if run.Run != "" {
		plan.Run, plan.Generation, plan.State = run.Run, run.Generation, run.State
	}
	return plan
}
