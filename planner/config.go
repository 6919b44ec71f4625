package planner

import (
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Config are the settings that a plan depends on. Split to Classes decide in which dataset a frame
// stands: they are what the first run records, and after it only what is named in Given and differs
// from what is in force counts.
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
	// Given says where a setting was given, by the name of its flag: "--group", "SHUFFLE_GROUP",
	// "SHUFFLE_GROUP in .env". The settings that are not in it have their defaults.
	Given      map[string]string
	MaxBadRows rows.Limit
	MaxDelete  rows.Limit
	MaxRefresh rows.Limit
	// MinPerClass is how many units (blocks or frames) of a class each dataset should hold: with
	// fewer the plan warns. 0: never.
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
	// OnChanges gets the changes of an episode when it has been planned, one episode at a time, in
	// any order; nil: none.
	OnChanges func(dataset.Episode, []state.FrameChange) error `json:"-"`
}
