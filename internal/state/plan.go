package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Plan is plan.json, and the output of plan --json: what a run will do.
type Plan struct {
	Run        string        `json:"run"`
	Generation int64         `json:"generation"`
	State      State         `json:"state"`
	Tasks      int           `json:"tasks"`
	Totals     Totals        `json:"totals"`
	Episodes   []EpisodePlan `json:"episodes"`
	// Changes counts what the plan changes by episode and cause, and what held episodes would have
	// changed.
	Changes []ChangeCount `json:"changes,omitempty"`
	// Problems are those of manifests. They belong to no episode.
	Problems []ManifestProblem `json:"problems"`
	Orphans  []Orphan          `json:"orphans,omitempty"`
	// Strays are the keys below ML/ that are not frames of a dataset, as far as the plan's listings
	// cover them.
	Strays  *dataset.StrayCount `json:"strays,omitempty"`
	Balance []Balance           `json:"balance"`
	// MissingClasses are the classes of the plan that have no frame in some dataset, as
	// "test/Legendary".
	MissingClasses []string `json:"missing_classes,omitempty"`
	// RareClasses are the pairs of a dataset and a class where the dataset has too few frames,
	// although the class has enough for all datasets.
	RareClasses []RareClass `json:"rare_classes,omitempty"`
	// ClassNumbers are the classes whose number changes from the latest dataset version to the one
	// that the run publishes.
	ClassNumbers []ClassNumber `json:"class_numbers,omitempty"`
	CostUSD      float64       `json:"cost_usd"`
	// Seconds is the expected duration with one worker.
	Seconds float64 `json:"seconds"`
	// Leakage is the share of the validate and test frames with a neighbouring train frame, 0 to 1.
	// LeakageGrouped is the same with Group "10s".
	Leakage        float64 `json:"leakage"`
	LeakageGrouped float64 `json:"leakage_grouped"`
	// IdenticalImages counts the frames outside the training dataset whose source image has the
	// ETag of a training frame's, at any distance. It is 0 in plans of releases that did not count
	// them.
	IdenticalImages int      `json:"identical_images"`
	Settings        Settings `json:"settings"`
	// SettingsSince is the run that recorded these settings. It is zero when this plan changes them
	// or is the first.
	SettingsSince Since `json:"settings_since,omitzero"`
	// InForce are the settings in force, when the plan is made with other settings. Given lists the
	// settings that the caller gave differently.
	InForce *Definition    `json:"in_force,omitempty"`
	Given   []GivenSetting `json:"given,omitempty"`
	// DatasetChanges counts the frames that change their dataset. It is nil when there are none and
	// no other settings are given.
	DatasetChanges *DatasetChanges `json:"dataset_changes,omitempty"`
	// SeedDrawn means that the plan's seed was drawn at random. A later plan draws another seed
	// unless the caller gives this one.
	SeedDrawn bool `json:"seed_drawn,omitempty"`
	// Seeds are the other seeds that a dry run has tried, the best first.
	Seeds []SeedTrial `json:"seeds,omitempty"`
	// Restores is the generation of the dataset version that the plan restores; 0: it is planned
	// from the sheets.
	Restores int64 `json:"restores,omitempty"`
	// RestoredSettings are the version's settings that differ from the settings in force. A restore
	// of some episodes does not change the settings in force.
	RestoredSettings []SettingChange `json:"restored_settings,omitempty"`
	// Bases are the prefixes of the planned episodes' images.
	Bases map[dataset.Episode]string `json:"bases,omitempty"`
	// Digests identify the planned episodes' listings, by episode: see dataset.Digest.
	Digests map[dataset.Episode]string `json:"digests,omitempty"`
	// Options are the planner's options. With them it makes the same plan again.
	Options json.RawMessage `json:"options,omitempty"`
}

// Totals counts the frames of a plan by what happens to them.
type Totals struct {
	Keep    int `json:"keep"`
	Copy    int `json:"copy"`
	Move    int `json:"move"`
	Refresh int `json:"refresh"`
	Delete  int `json:"delete"`
	Frozen  int `json:"frozen"`
}

// Add sums two counts.
func (t Totals) Add(o Totals) Totals {
	return Totals{t.Keep + o.Keep, t.Copy + o.Copy, t.Move + o.Move, t.Refresh + o.Refresh, t.Delete + o.Delete, t.Frozen + o.Frozen}
}

// Tasks is the number of tasks that the counted frames need.
func (t Totals) Tasks() int { return t.Copy + t.Move + t.Refresh + t.Delete }

// EpisodePlan is one episode of a plan.
type EpisodePlan struct {
	Season  string `json:"season"`
	Episode string `json:"episode"`
	State   string `json:"state"` // EpisodePlanned or EpisodeHeld
	Reason  string `json:"reason"`
	Cause   Cause  `json:"cause,omitempty"` // of what is held
	Sheet   string `json:"sheet,omitempty"` // URL
	// FirstSeq is the seq of its first task. The tasks of an episode are consecutive.
	FirstSeq int `json:"first_seq"`
	Totals
	Problems []Problem `json:"problems"`
	// MoreProblems counts the problems beyond the first MaxProblems.
	MoreProblems int `json:"more_problems,omitempty"`
	// Kinds counts all problems by kind; nil in plans of earlier releases.
	Kinds []ProblemKind `json:"problem_kinds,omitempty"`
	// ImagesWithoutRow and RowsWithoutClass are not problems. Their frames belong to no dataset.
	ImagesWithoutRow int `json:"images_without_row,omitempty"`
	RowsWithoutClass int `json:"rows_without_class,omitempty"`
}

// States of an episode in a plan.
const (
	EpisodePlanned = "planned"
	EpisodeHeld    = "held"
)

// Cause is a kind of reason to hold an episode. The advice depends on it.
type Cause string

// The causes.
const (
	CauseInput     Cause = "input"     // a sheet, a manifest or the images are not as expected
	CauseService   Cause = "service"   // S3 or Sheets refuses or does not respond
	CauseDeletions Cause = "deletions" // more than the ceiling allows
	CauseRefreshes Cause = "refreshes" // more than the ceiling allows
	CauseBase      Cause = "base"      // the images are elsewhere than in the last run
)

// MaxProblems is the largest number of problems that a plan lists for one episode.
const MaxProblems = 2000

// Name is the episode's name, S01E01.
func (e EpisodePlan) Name() dataset.Episode { return dataset.Episode(e.Season + e.Episode) }

// Problem is a problem of a sheet. Row is the row's number in the sheet, from 1, or 0 when the
// problem is not about a row.
type Problem struct {
	Row     int    `json:"row,omitempty"`
	Frame   string `json:"frame,omitempty"`
	Problem string `json:"problem"`
	Warning bool   `json:"warning,omitempty"`
	// Kind and Value group equal problems, such as a kind "unknown class" with the class as Value.
	// Both are "" in plans of earlier releases.
	Kind   string `json:"kind,omitempty"`
	Value  string `json:"value,omitempty"`
	Column string `json:"column,omitempty"` // of the cell to correct
	New    bool   `json:"new,omitempty"`    // the run before did not have it
}

// ManifestProblem is a problem of a manifest.
type ManifestProblem struct {
	Manifest string `json:"manifest"`
	Problem  string `json:"problem"`
}

// Orphan is an episode that has frames in the datasets and is in no manifest.
type Orphan struct {
	Episode dataset.Episode `json:"episode"`
	Places  []string        `json:"places"`
}

// Balance counts the frames of a class in a dataset, over the planned episodes.
type Balance struct {
	Dataset string `json:"dataset"`
	Class   string `json:"class"`
	Before  int    `json:"before"`
	After   int    `json:"after"`
}

// RareClass is a class of which a dataset has fewer units than it should. A unit is a block when
// the settings have a group, else a frame.
type RareClass struct {
	Dataset string `json:"dataset"`
	Class   string `json:"class"`
	Units   int    `json:"units"`
	Frames  int    `json:"frames"`
	Enough  int    `json:"enough"` // the units that would be enough
	Of      int    `json:"of"`     // the units of the class in all datasets
}

// SeedTrial describes the datasets that a seed would give, over the planned episodes.
type SeedTrial struct {
	Seed    string             `json:"seed"`
	InForce bool               `json:"in_force"`
	Shares  map[string]float64 `json:"shares"`  // by dataset, 0 to 1
	Rare    int                `json:"rare"`    // how many RareClasses the plan would have
	Leakage float64            `json:"leakage"` // as in Plan
	Moves   int                `json:"moves"`   // frames that change their dataset
}

// Held lists the episodes that the plan leaves unchanged, with the reason.
func (p *Plan) Held() []HeldEpisode {
	held := []HeldEpisode{}
	for _, e := range p.Episodes {
		if e.State == EpisodeHeld {
			held = append(held, HeldEpisode{Season: e.Season, Episode: e.Episode, Reason: e.Reason, Cause: e.Cause})
		}
	}
	return held
}

// Refused counts the frames that a restore leaves unchanged, although the version has them
// otherwise.
func (p *Plan) Refused() int {
	n := 0
	if p.Restores > 0 {
		for _, e := range p.Episodes {
			n += len(e.Problems) + e.MoreProblems
		}
	}
	return n
}

// HeldEpisode is an episode that a run leaves unchanged.
type HeldEpisode struct {
	Season  string `json:"season"`
	Episode string `json:"episode"`
	Reason  string `json:"reason"`
	Cause   Cause  `json:"cause,omitempty"`
}

// WritePlan saves the plan.
func (s *Store) WritePlan(ctx context.Context, p *Plan) error {
	return s.WriteJSON(ctx, RunName(p.Run, "plan.json"), p, bucket.Condition{})
}

// ReadPlan reads a run's plan; bucket.ErrNotFound when the run has none, ErrDamaged when it is of
// another run.
func (s *Store) ReadPlan(ctx context.Context, run string) (*Plan, error) {
	var p Plan
	_, err := s.ReadJSON(ctx, RunName(run, "plan.json"), &p)
	if err == nil && (p.Run != run || p.Generation < 1 || p.Tasks < 0) {
		err = fmt.Errorf("read %s%s: %w: it is of run %.100q, generation %d", s.Layout.State(), RunName(run, "plan.json"), ErrDamaged, p.Run, p.Generation)
	}
	return &p, err
}

// planOf reads the plan of the run in force. A plan that the pointer contradicts is ErrDamaged.
func (s *Store) planOf(ctx context.Context, p Pointer) (*Plan, error) {
	plan, err := s.ReadPlan(ctx, p.Run)
	if err == nil && (plan.Generation != p.Generation || plan.Tasks != p.Tasks && p.Tasks > 0) {
		err = fmt.Errorf("read %s%s: %w: it has generation %d and %d tasks, and the pointer %d and %d",
			s.Layout.State(), RunName(p.Run, "plan.json"), ErrDamaged, plan.Generation, plan.Tasks, p.Generation, p.Tasks)
	}
	return plan, err
}

// PlanInForce reads the plan that the run in force must have. Since a run without it ends, one
// answer is not believed: the error is Lost only after two, and when a listing does not show a
// missing plan either.
func (s *Store) PlanInForce(ctx context.Context, p Pointer) (plan *Plan, err error) {
	plan, err = twice(func() (*Plan, error) { return s.planOf(ctx, p) })
	if errors.Is(err, bucket.ErrNotFound) {
		name := RunName(p.Run, "plan.json")
		names, listErr := s.Names(ctx, name)
		switch {
		case listErr != nil:
			// Not wrapped, because a missing bucket is no missing plan.
			return nil, fmt.Errorf("list %s%s: %v", s.Layout.State(), name, listErr) //nolint:errorlint // See above.
		case len(names) > 0:
			return nil, fmt.Errorf("read %s%s: %w", s.Layout.State(), name, errListed)
		}
	}
	return plan, err
}
