package planner

import (
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Config has the settings that a plan depends on. Split to Classes decide the dataset of each
// frame. The first run records them. After it, a value counts only if Given names it and it differs
// from the one in force.
type Config struct {
	Layout      dataset.Layout
	BucketNames []string // names that a sheet's base URI may give for the bucket
	ImageSize   string
	Classes     []string
	Split       Split
	Group       time.Duration
	Stratify    bool
	Guard       int
	Subsample   int
	// Given maps each given setting to its origin, by the name of its flag: "--group",
	// "SHUFFLE_GROUP", "SHUFFLE_GROUP in .env". A setting that is not in it has its default.
	Given      map[string]string
	MaxBadRows rows.Limit
	MaxDelete  rows.Limit
	MaxRefresh rows.Limit
	// MinPerClass is how many units (blocks or frames) of a class each dataset should have. With
	// fewer units the plan has a warning. 0: never.
	MinPerClass int
	// Lease is how long the pointer of another planner must stay unchanged before this one takes
	// it.
	Lease time.Duration
	// Parallel is the number of listings at once.
	Parallel int
}

// Options are the options of one plan.
type Options struct {
	Season      string            `json:"season,omitempty"`
	Episodes    []dataset.Episode `json:"episodes,omitempty"`
	AllowDelete []dataset.Episode `json:"allow_delete,omitempty"`
	// AllowRefresh are the episodes that may refresh more frames than Config.MaxRefresh.
	AllowRefresh []dataset.Episode `json:"allow_refresh,omitempty"`
	// AcceptBase are the episodes whose base URI may differ from that of the last run.
	AcceptBase []dataset.Episode `json:"accept_base,omitempty"`
	Prune      []dataset.Episode `json:"prune,omitempty"`
	// Restore is the generation of the dataset version to restore; 0: plan from the sheets.
	Restore   int64  `json:"restore,omitempty"`
	Seed      string `json:"seed,omitempty"`
	Reshuffle bool   `json:"reshuffle,omitempty"`
	// ChangeSettings lets the given settings replace those in force. Pin and Unpin are datasets.
	ChangeSettings bool     `json:"change_settings,omitempty"`
	Pin            []string `json:"pin,omitempty"`
	Unpin          []string `json:"unpin,omitempty"`
	// Recorded plans with the settings in force and ignores the environment of the caller.
	Recorded bool `json:"-"`
	DryRun   bool `json:"-"`
	// Seeds is how many seeds a dry run tries besides its own; at most MaxSeeds.
	Seeds     int  `json:"-"`
	Review    bool `json:"-"`
	Supersede bool `json:"-"`
	// OnChanges receives the changes of an episode when it has been planned. The calls come one at
	// a time, in any order. nil: none.
	OnChanges func(dataset.Episode, []state.FrameChange) error `json:"-"`
}
