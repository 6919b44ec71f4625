package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Definition is the settings that decide to which dataset a frame belongs (DESIGN 5, "Settings in
// force"). They belong to the datasets, not to a machine's environment.
type Definition struct {
	Seed      string   `json:"seed"`
	Split     string   `json:"split"`
	Group     string   `json:"group,omitempty"` // a Go duration; "" splits frame by frame
	Stratify  bool     `json:"stratify,omitempty"`
	Guard     int      `json:"guard,omitempty"`     // frames
	Subsample int      `json:"subsample,omitempty"` // 0 and 1 keep all
	Classes   []string `json:"classes"`
	Pinned    []string `json:"pinned,omitempty"` // datasets whose frames stay in them
}

// Settings are all settings that a plan depends on.
type Settings struct {
	Definition
	Datasets  []string `json:"datasets"` // the split's, in its order
	Listed    []string `json:"listed"`   // every dataset folder that was listed: the split's and earlier ones
	ImageSize string   `json:"image_size"`
}

// Setting is one part of a Definition, with the name and the value of its flag.
type Setting struct{ Name, Value string }

// List returns the definition as values of its flags. Two definitions with equal lists put every
// frame in the same place.
func (d Definition) List() []Setting {
	sorted := func(names []string) string {
		names = slices.Clone(names)
		slices.Sort(names)
		return strings.Join(names, ",")
	}
	return []Setting{
		{"seed", d.Seed},
		{"split", d.Split},
		{"group", cmp.Or(d.Group, "0s")},
		{"stratify", strconv.FormatBool(d.Stratify)},
		{"guard", strconv.Itoa(d.Guard)},
		{"subsample", strconv.Itoa(max(d.Subsample, 1))},
		{"classes", sorted(d.Classes)},
		{"pinned", sorted(d.Pinned)},
	}
}

// SettingChange is a setting that differs between two definitions.
type SettingChange struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// ChangesTo lists the settings that differ in the definition after.
func (d Definition) ChangesTo(after Definition) []SettingChange {
	var changes []SettingChange
	now := after.List()
	for i, s := range d.List() {
		if s != now[i] {
			changes = append(changes, SettingChange{s.Name, s.Value, now[i].Value})
		}
	}
	return changes
}

// Equal reports whether both put every frame in the same place.
func (d Definition) Equal(o Definition) bool { return len(d.ChangesTo(o)) == 0 }

// GivenSetting is a setting that a caller gives with another value than the one in force.
type GivenSetting struct {
	Name    string `json:"name"`
	InForce string `json:"in_force"`
	Given   string `json:"given"`
	From    string `json:"from"` // "--group", "SHUFFLE_GROUP" or "SHUFFLE_GROUP in .env"
}

// DatasetChanges counts the frames that other settings move from one dataset to another.
type DatasetChanges struct {
	Frames int             `json:"frames"`
	Of     int             `json:"of"` // frames of the planned episodes that are in a dataset before and after
	Counts []ChangedFrames `json:"counts"`
	// Trained counts, for each dataset other than the training dataset, the frames that have been
	// trained on.
	Trained []TrainedFrames `json:"trained,omitempty"`
}

// ChangedFrames counts the frames of one episode and class that change their dataset.
type ChangedFrames struct {
	Episode string `json:"episode"`
	Class   string `json:"class"`
	Frames  int    `json:"frames"`
}

// TrainedFrames counts the frames that would be in a dataset other than the training dataset. It
// also counts those of them that were in the training dataset in a kept version.
type TrainedFrames struct {
	Dataset string `json:"dataset"`
	Frames  int    `json:"frames"`
	Trained int    `json:"trained"`
}

// Since is the run that recorded settings.
type Since struct {
	Run        string `json:"run"`
	Generation int64  `json:"generation"`
}

// InForce is settings.json: the settings of every plan until a person changes them.
type InForce struct {
	V        int        `json:"v"`
	Settings Definition `json:"settings"`
	Since    Since      `json:"since"` // the run that changed them last
	// Generation is that of the newest published run. The plan of an older run changes nothing
	// here.
	Generation int64 `json:"generation"`
	// Scope is the environment that the settings belong to (messages.Scope); "" is unknown.
	Scope    string   `json:"scope,omitempty"`
	Datasets []string `json:"datasets"` // every dataset that the program has ever filled under this prefix

	// Rebuilt names the source of these settings when settings.json is missing.
	Rebuilt string `json:"-"`
}

// Exists reports whether a run was published. Before that no settings are in force.
func (f InForce) Exists() bool { return f.V != 0 }

const settingsVersion = 1

// ErrSettings means that the settings in force cannot be determined. Then nothing may be planned.
var ErrSettings = errors.New("settings in force")

// Settings reads the settings in force. It returns the zero InForce before the first published run.
// An error that a person must repair is ErrSettings.
//
// A missing settings.json is not trusted: if a dataset version or a published run exists, the
// settings are rebuilt from it. An existing one is compared with the newest dataset version. So a
// settings.json of other datasets, or an old one that a person put back, is refused.
func (s *Store) Settings(ctx context.Context) (InForce, error) {
	return s.SettingsBeside(ctx, s.LatestVersion)
}

// SettingsBeside is Settings for a caller that needs the newest dataset version too. latest reads
// that version; the default is LatestVersion.
func (s *Store) SettingsBeside(ctx context.Context, latest func(context.Context) (Version, error)) (InForce, error) {
	for try := 1; ; try++ {
		f, etag, err := s.readSettings(ctx)
		if err != nil {
			return InForce{}, err
		}
		if etag == "" {
			f, err := s.rebuildSettings(ctx, latest)
			if errors.Is(err, errListed) && try < swapTries {
				continue // the first run may have recorded them between the read and the listing
			}
			return f, err
		}
		contradiction := s.contradiction(ctx, f, latest)
		if contradiction == "" {
			return f, nil
		}
		// A run may have been published, with its version, between the two reads.
		if _, again, err := s.readSettings(ctx); err != nil || again == etag || try == swapTries {
			return InForce{}, errors.Join(s.settingsError(contradiction+
				"; expected the settings of these datasets: restore the object's last version, or delete it, and it is made again from the newest dataset version"), err)
		}
	}
}

// RecordedSettings reads settings.json alone. It returns the zero InForce when there is none.
func (s *Store) RecordedSettings(ctx context.Context) (InForce, error) {
	f, _, err := s.readSettings(ctx)
	return f, err
}

func (s *Store) settingsError(problem string) error {
	return fmt.Errorf("%w: %s%s: %s", ErrSettings, s.Layout.State(), settingsName, problem)
}

// readSettings reads settings.json; without one the ETag is "".
func (s *Store) readSettings(ctx context.Context) (f InForce, etag string, err error) {
	c, err := s.Read(ctx, settingsName)
	if errors.Is(err, bucket.ErrNotFound) {
		return InForce{}, "", nil
	}
	if err != nil {
		return InForce{}, "", err
	}
	f, err = s.parseSettings(c.Body)
	return f, c.ETag, err
}

func (s *Store) parseSettings(body []byte) (InForce, error) {
	var version struct {
		V int `json:"v"`
	}
	var f InForce
	err := Unseal(body, &version)
	if err == nil && version.V <= settingsVersion {
		err = Unseal(body, &f)
	}
	switch d := f.Settings; {
	case err != nil:
		return InForce{}, s.settingsError("it is " + err.Error() + ": restore the object's last version, or delete it, and it is made again from the newest dataset version")
	case version.V > settingsVersion:
		return InForce{}, s.settingsError(fmt.Sprintf("it has the format %d, and this release reads format %d: install the newer release", version.V, settingsVersion))
	case f.V < 1, d.Seed == "", d.Split == "", len(d.Classes) == 0, f.Generation < 1, len(f.Datasets) == 0:
		return InForce{}, s.settingsError("it is damaged (v, seed, split, classes, generation or datasets are missing): restore the object's last version, or delete it, and it is made again from the newest dataset version")
	}
	return f, nil
}

// contradiction describes how another object contradicts the settings, and returns "" when none
// does. Objects that cannot be read are skipped. Settings do not change between Since and
// Generation, so every plan and version of that time has the same ones. Every published run records
// its generation.
func (s *Store) contradiction(ctx context.Context, f InForce, latest func(context.Context) (Version, error)) string {
	if f.Scope != s.Scope && f.Scope != "" && s.Scope != "" {
		return fmt.Sprintf("it belongs to other datasets: those of %.100s, and these are of %s", f.Scope, s.Scope)
	}
	pointer, err := s.Current(ctx, PointerSnapshot{})
	switch {
	case err != nil, !pointer.Exists():
	case f.Generation > pointer.Generation:
		return fmt.Sprintf("it belongs to other datasets: it was recorded for generation %d, and the newest run here has %d", f.Generation, pointer.Generation)
	case pointer.Generation > f.Generation+1, pointer.Generation > f.Generation && pointer.State != Planning && pointer.State != Review:
		runs, err := s.Runs(ctx)
		if err != nil {
			break
		}
		if run, err := s.publishedAfter(ctx, runs, f.Generation, 0); err == nil && run != "" {
			return fmt.Sprintf("it is older than run %s: it was recorded for generation %d", run, f.Generation)
		}
	}
	v, err := latest(ctx)
	of, theirs := fmt.Sprintf("dataset version %d", v.Generation), v.Definition
	switch {
	case err != nil && !errors.Is(err, bucket.ErrNotFound):
		return ""
	case v.Generation > f.Generation:
		return fmt.Sprintf("it is older than %s: it was recorded for generation %d", of, f.Generation)
	case v.Generation < f.Since.Generation: // the run that recorded the settings has no version
		plan, err := s.ReadPlan(ctx, f.Since.Run)
		if errors.Is(err, bucket.ErrNotFound) {
			return fmt.Sprintf("it belongs to other datasets: run %.100s, which recorded it, is none of these", f.Since.Run)
		}
		if err != nil {
			return ""
		}
		of, theirs = "the plan of run "+plan.Run, plan.Settings.Definition
	}
	for _, c := range f.Settings.ChangesTo(theirs) {
		return fmt.Sprintf("it belongs to other datasets: its %s is %.60q, and that of %s is %.60q", c.Name, c.Before, of, c.After)
	}
	return ""
}

// publishedLater returns a generation after this one that has a version or was published, or 0.
// Without settings.json, this shows whether the plan of this generation is an old one.
func (s *Store) publishedLater(ctx context.Context, generation int64) (int64, error) {
	found, err := s.readPublished(ctx, s.LatestVersion)
	if err != nil || found.version.Generation > generation {
		return found.version.Generation, err
	}
	run, err := s.publishedAfter(ctx, found.runs, generation, 0)
	return GenerationOf(run), err
}

// EnsureSettings records the settings of a plan that is being published, and adds its datasets to
// those ever filled. When a newer plan was already published, it changes nothing: the planner may
// have been paused for long.
func (s *Store) EnsureSettings(ctx context.Context, plan *Plan) error {
	return s.Update(ctx, settingsName, func(old []byte) ([]byte, error) {
		now := InForce{V: settingsVersion}
		var err error
		if old != nil {
			now, err = s.parseSettings(old)
		} else {
			now.Generation, err = s.publishedLater(ctx, plan.Generation)
		}
		if err != nil || plan.Generation <= now.Generation {
			return nil, err
		}
		if !now.Exists() || !now.Settings.Equal(plan.Settings.Definition) || now.Since.Run == "" {
			now.Since = plan.SettingsSince
			if now.Since.Run == "" {
				now.Since = Since{Run: plan.Run, Generation: plan.Generation}
			}
		}
		now.Scope = s.Scope
		now.V, now.Settings, now.Generation = settingsVersion, plan.Settings.Definition, plan.Generation
		for _, name := range slices.Concat(plan.Settings.Datasets, plan.Settings.Listed) {
			if !slices.Contains(now.Datasets, name) {
				now.Datasets = append(now.Datasets, name)
			}
		}
		return Seal(now)
	})
}
