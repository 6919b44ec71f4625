// Package planner compares what the sheets want with what stands in the bucket and publishes the difference, one task a
// frame.
//
// The core, Decide, PlanEpisode, Assigner and the summary, are pure functions. Around it, Planner reads manifests, sheets
// and listings, takes the pointer for its run, saves the plan and publishes it.
//
// # What happens when the planner dies
//
//	while planning    nothing is published; the next planner takes over with a new generation
//	while publishing  the plan is whole in the bucket; the next planner, or the tracker, sends what is missing
//	after that        the run does not need a planner
//
// Workers of the run before may still be acting when a planner takes the pointer. It reads sheets and source listings
// meanwhile, and lists the datasets only when state.Fence.Quiet has passed, see package state.
package planner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Sheets reads a whole worksheet; gid "" is the first one.
type Sheets interface {
	Values(ctx context.Context, spreadsheetID, gid string) (sheet.Values, error)
}

// Bucket is what the planner reads besides the state.
type Bucket interface {
	ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error)
	GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error)
}

// Config are the settings that a plan depends on. Split to Classes decide in which dataset a frame stands: they are what the
// first run records, and after it only what is named in Given and differs from what is in force counts.
type Config struct {
	Layout      dataset.Layout
	BucketNames []string // names of the bucket that a sheet's base URI may give
	ImageSize   string
	Classes     []string
	Split       Split
	Group       time.Duration
	Stratify    bool
	Guard       int
	Subsample   int
	// Given says where a setting was given, by the name of its flag: "--group", "SHUFFLE_GROUP", "SHUFFLE_GROUP in .env". The
	// settings that are not in it have their defaults.
	Given      map[string]string
	MaxBadRows rows.Limit
	MaxDelete  rows.Limit
	MaxRefresh rows.Limit
	// MinPerClass is how many units (blocks or frames) of a class each dataset should hold: with fewer the plan warns. 0: never.
	MinPerClass int
	// Lease is how long another planner's pointer must stay unchanged before it is taken over.
	Lease time.Duration
	// Parallel is the number of listings at once.
	Parallel int
}

// Options are those of one plan.
type Options struct {
	Season      string            `json:"season,omitempty"`
	Episodes    []dataset.Episode `json:"episodes,omitempty"`
	AllowDelete []dataset.Episode `json:"allow_delete,omitempty"`
	// AllowRefresh are the episodes that may refresh more frames than Config.MaxRefresh.
	AllowRefresh []dataset.Episode `json:"allow_refresh,omitempty"`
	// AcceptBase are the episodes whose base URI may be another than in the last run.
	AcceptBase []dataset.Episode `json:"accept_base,omitempty"`
	Prune      []dataset.Episode `json:"prune,omitempty"`
	// Restore is the generation of the dataset version to go back to; 0: plan what the sheets say.
	Restore   int64  `json:"restore,omitempty"`
	Seed      string `json:"seed,omitempty"`
	Reshuffle bool   `json:"reshuffle,omitempty"`
	// ChangeSettings lets what is given replace what is in force. Pin and Unpin are datasets.
	ChangeSettings bool     `json:"change_settings,omitempty"`
	Pin            []string `json:"pin,omitempty"`
	Unpin          []string `json:"unpin,omitempty"`
	// Recorded plans with the settings in force, whatever the caller's environment gives.
	Recorded bool `json:"-"`
	DryRun   bool `json:"-"`
	// Seeds is how many seeds a dry run tries beside its own; at most MaxSeeds.
	Seeds     int  `json:"-"`
	Review    bool `json:"-"`
	Supersede bool `json:"-"`
}

// Planner makes plans and publishes them.
type Planner struct {
	Store  *state.Store
	Bucket Bucket
	Sheets Sheets
	Tasks  queue.BatchSender
	// Finish ends a run of 0 tasks whose pointer is publishing.
	Finish func(context.Context, state.Held, *state.Plan) (state.Held, error)
	// OnPublish is told of a plan with tasks before the first of them is sent; nil mostly.
	OnPublish func(*state.Plan)
	Config    Config
	Log       *zap.Logger
	// Now is the clock that names runs; nil is time.Now.
	Now func() time.Time
	// NameRun names a run; nil is state.NewRunName. It is for tests that compare names.
	NameRun func(begun time.Time, generation int64) string
}

// ErrUsage says that the call cannot be carried out as it was given.
var ErrUsage = errors.New("usage")

// ActiveError says that another run has not ended.
type ActiveError struct {
	Run   string
	State state.State
}

func (e *ActiveError) Error() string {
	return fmt.Sprintf("run %s is active (%s): follow it (shuffle status --watch), carry it to its end (shuffle run --resume), stop it (shuffle cancel %s), or plan with --supersede",
		e.Run, e.State, e.Run)
}

// Plan makes a plan and, unless it is a dry run or a review, publishes it. A run that its planner has left while
// publishing is finished instead, and its plan given back. Another active run is an *ActiveError.
func (p *Planner) Plan(ctx context.Context, opt Options) (*state.Plan, error) {
	d := p.draft(opt)
	if err := d.prepare(ctx); err != nil {
		return nil, err
	}
	if opt.DryRun {
		plan, err := d.plan(ctx)
		if err == nil {
			plan.Options, err = encodeOptions(opt)
		}
		return plan, err
	}
	held, quiet, err := p.begin(ctx, opt)
	if err != nil {
		return nil, err
	}
	if held.State == state.Publishing {
		return p.resume(ctx, held)
	}
	log := p.log().With(zap.String("run", held.Run))
	log.Info("planning")
	lease := p.keep(ctx, held)
	d.run, d.quiet = &held.Pointer, quiet
	plan, err := d.plan(lease.ctx)
	if err == nil {
		plan.Options, err = encodeOptions(opt)
	}
	if err == nil {
		err = p.Store.WritePlan(lease.ctx, plan)
	}
	if err != nil {
		return nil, lease.fail(ctx, err)
	}
	next := state.Publishing
	if opt.Review {
		next = state.Review
	}
	held, err = lease.advance(ctx, func(ptr *state.Pointer) {
		ptr.State, ptr.Tasks, ptr.Published = next, plan.Tasks, 0
	})
	if err != nil {
		return nil, err
	}
	if opt.Review {
		plan.State = state.Review
		return plan, nil
	}
	return p.publish(ctx, held, plan)
}

// publish sends the tasks of a saved plan whose pointer is publishing.
func (p *Planner) publish(ctx context.Context, held state.Held, plan *state.Plan) (*state.Plan, error) {
	var err error
	plan.State = held.State
	if plan.Tasks == 0 {
		held, err = p.finish(ctx, held, plan)
	} else {
		if p.OnPublish != nil {
			p.OnPublish(plan)
		}
		held, err = state.Publish(ctx, p.Store, held, p.Tasks)
	}
	if errors.Is(err, state.ErrConflict) {
		return nil, fmt.Errorf("publish run %s: another process goes on with it, or has cancelled or superseded it: %w; see shuffle status", plan.Run, err)
	}
	if err != nil {
		return nil, fmt.Errorf("publish run %s: %w; the next shuffle plan goes on with it", plan.Run, err)
	}
	plan.State = held.State
	p.log().Info("published", zap.String("run", plan.Run), zap.Int("tasks", plan.Tasks), zap.String("state", string(held.State)))
	return plan, nil
}

// finish ends a run without tasks.
func (p *Planner) finish(ctx context.Context, held state.Held, plan *state.Plan) (state.Held, error) {
	next, err := p.Finish(ctx, held, plan)
	if errors.Is(err, state.ErrConflict) {
		return p.Store.Overtaken(ctx, held, err)
	}
	return next, err
}

// resume finishes the publication that another planner has left.
func (p *Planner) resume(ctx context.Context, held state.Held) (*state.Plan, error) {
	p.log().Info("finishing the publication that another planner left", zap.String("run", held.Run),
		zap.Int("chunks_sent", held.Published), zap.Int("chunks", state.Chunks(held.Tasks)))
	plan, err := p.Store.ReadPlan(ctx, held.Run)
	if err == nil {
		plan, err = p.publish(ctx, held, plan)
	}
	if !state.Lost(err) {
		return plan, err
	}
	// What is left of the run cannot be published. It ends, so that the next plan begins anew.
	next := held.Pointer
	next.State, next.Finished = state.Failed, p.now().UTC().Truncate(time.Second)
	next.Reason = "publishing: " + err.Error() + "; run shuffle plan, which plans what is still to do"
	now, readErr := p.Store.Current(ctx, state.Held{})
	if readErr == nil && now.Run == held.Run && now.State == state.Publishing {
		next.Published, next.Heartbeat = now.Published, now.Heartbeat+1
		_, readErr = p.Store.Swap(ctx, now, next)
	}
	return nil, errors.Join(fmt.Errorf("run %s, whose publication another planner left, has ended as failed: %w; run shuffle plan again", held.Run, err), readErr)
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
