package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// State reads the program's state with the program's own code: the pointer, the run in force, the
// newest dataset version with its rows, version.json of the others, the tags and the lists. It
// writes nothing. It checks only that the chunks of a run exist, and does not read earlier runs.
func State(ctx context.Context, s *state.Store) (checks []show.Check) {
	pointer, err := s.Current(ctx, state.PointerSnapshot{})
	if err != nil || !pointer.Exists() {
		checks = append(checks, noPointer(ctx, s, err))
	} else {
		checks = append(checks, check("current.json", nil, "run "+pointer.Run+", "+string(pointer.State), ""))
		for _, i := range s.InspectRun(ctx, pointer.Pointer) {
			checks = append(checks, inspected(i, runFix(pointer.State)))
		}
	}
	for _, i := range version.Inspect(ctx, s) {
		checks = append(checks, inspected(i, versionFix(i.Name)))
	}
	for _, i := range append([]state.Inspected{version.InspectTags(ctx, s)}, s.InspectLists(ctx)...) {
		checks = append(checks, inspected(i, "restore the object's last version; or delete it, and set the tags again"))
	}
	return checks
}

// noPointer checks a state without a run in force, which is right only when there are no runs. err
// is the error of reading the pointer.
func noPointer(ctx context.Context, s *state.Store, err error) show.Check {
	const fix = "restore the object's last version; or delete it, and type shuffle plan: a new run begins, and nothing in the datasets is lost"
	if err == nil {
		if _, err = state.ReadStatus(ctx, s, ""); errors.Is(err, state.ErrNoRun) {
			return check("current.json", nil, "there is no run yet", "")
		}
	}
	return check("current.json", err, "", fix)
}

// inspected returns the check of an object. It distinguishes missing, damaged and unreadable
// objects.
func inspected(i state.Inspected, fix string) show.Check {
	switch {
	case i.Err == nil:
		return check(i.Name, nil, i.Detail, "")
	case !state.Lost(i.Err):
		return check(i.Name, i.Err, "", "cannot be read now: try again, and check the rights on the bucket")
	case i.Heals:
		return show.Check{Name: i.Name, OK: true, Warning: true, Detail: kind(i.Err) + "; the program makes it again by itself: " + i.Err.Error()}
	}
	c := check(i.Name, i.Err, "", fix)
	c.Detail, c.Fix = kind(i.Err)+": "+c.Detail, fix
	return c
}

func kind(err error) string {
	if errors.Is(err, bucket.ErrNotFound) {
		return "missing"
	}
	return "damaged"
}

// runFix returns what to do about an object of the run in force that cannot be rebuilt.
func runFix(s state.State) string {
	switch {
	case s == state.Review:
		return "restore its last version, or type shuffle plan --review again"
	case s.Active():
		return "restore its last version at once; or type shuffle plan --supersede, which plans what is still to do"
	}
	return "restore its last version; or type shuffle plan, which plans what is still to do"
}

func versionFix(name string) string {
	switch {
	case name == state.LatestName:
		return "restore its last version; or type shuffle plan, whose run names the newest version again"
	case strings.HasSuffix(name, ".csv"):
		return "restore its last version; or delete it: shuffle reads the rows from the other objects of the version then"
	}
	return "restore its last version; the program goes by the other versions meanwhile, and the next run that changes something publishes a new one"
}
