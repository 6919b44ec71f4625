package planner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
)

// The ceiling of refreshes has the same rule as that of deletions: it limits the frames in the
// datasets, and it always allows 20.
func TestRefreshCeiling(t *testing.T) {
	for _, test := range []struct {
		refresh, standing int
		ceiling           string
		held              bool
	}{
		{20, 20, "50%", false}, {21, 21, "50%", true}, {21, 42, "50%", false}, {22, 42, "50%", true}, {30, 100, "29", true}, {30, 100, "30", false}, {100, 100, "100%", false},
	} {
		in := EpisodeInput{
			Episode: e1, Assign: &Assigner{Split: Split{{"train", 1}}, Seed: "7"}, Layout: layout, Same: sameETag,
			Ceiling: limit(t, "0"), RefreshCeiling: limit(t, test.ceiling), Images: map[dataset.Frame]string{}, Standing: dataset.Standing{},
		}
		for i, f := range frames(e1, test.standing) {
			in.Images[f] = "v1"
			if i < test.refresh {
				in.Images[f] = "v2"
			}
			in.Standing[f] = []dataset.Copy{{Place: trainCommon, ETag: "v1"}}
			in.Sheet.Rows = append(in.Sheet.Rows, rows.Row{Frame: f, Class: "Common", Row: i + 2})
		}
		out := PlanEpisode(in)
		if (out.Held != "") != test.held || test.held && (out.Cause != state.CauseRefreshes || len(out.Tasks) > 0) {
			t.Errorf("%d of %d with a ceiling of %s: held %q", test.refresh, test.standing, test.ceiling, out.Held)
		}
		in.AllowRefresh = true
		if out := PlanEpisode(in); out.Held != "" || out.Totals.Refresh != test.refresh {
			t.Errorf("%d of %d, allowed: %+v, held %q", test.refresh, test.standing, out.Totals, out.Held)
		}
	}
}

// moved returns a world whose two episodes have a dataset version. Since then the first sheet
// refers to another folder.
func moved(t *testing.T) *world {
	w := newWorld(t)
	w.manifest("S01", e1, e2)
	all := w.episode(e1, 10)
	w.episode(e2, 10)
	first := w.converge(Options{})
	_, err := versiontest.Publish(context.Background(), w.store, state.Version{
		Generation: first.Generation, Run: first.Run, Settings: first.Settings, Digests: first.Digests, Bases: first.Bases}, nil)
	w.must(err)
	for _, f := range all {
		w.put("tuttle_twins/s01e01/big/"+f.File(), "big "+imageOf(f))
	}
	w.sheet(e1, based("media.angel-nft.com/tuttle_twins/s01e01/big/")(table("Common", all)))
	return w
}

// A base URI other than that of the last run holds its episode until it is accepted. This holds for
// a plan, for doctor and for why.
func TestBaseOfTheLastRun(t *testing.T) {
	for _, stratify := range []bool{false, true} {
		bubble(t, map[bool]string{false: "usual", true: "stratified"}[stratify], func(t *testing.T) {
			w := moved(t)
			w.config.Stratify = stratify
			plan := w.plan(Options{DryRun: true})
			got := of(plan, e1)
			for _, part := range []string{
				`sheet "S01E01.csv"`, "expected the images under tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/, as in the last run (version 1)",
				"found the base URI of tuttle_twins/s01e01/big/;", "--accept-base S01E01",
			} {
				if got.State != state.EpisodeHeld || got.Cause != state.CauseBase || !strings.Contains(got.Reason, part) {
					t.Errorf("%s, %s: %q; expected %q in it", got.State, got.Cause, got.Reason, part)
				}
			}
			if other := of(plan, e2); other.Keep != 10 {
				t.Errorf("the other episode: %+v", other)
			}
			inspections, _, err := w.planner().Inspect(context.Background())
			if err != nil || !slices.ContainsFunc(inspections, func(i Inspection) bool { return i.Episode == e1 && i.Err != nil && i.Err.Error() == got.Reason }) {
				t.Errorf("%+v, %v", inspections, err)
			}
			if x := w.explain(dataset.FrameAt(e1, 0)); x.Held != got.Reason {
				t.Errorf("why: held %q", x.Held)
			}
			accepted := w.plan(Options{DryRun: true, AcceptBase: []dataset.Episode{e1}})
			if of(accepted, e1).Refresh != 10 || accepted.Bases[e1] != "tuttle_twins/s01e01/big/" {
				t.Errorf("accepted: %+v, %v", of(accepted, e1), accepted.Bases)
			}
		})
	}
}

// A review keeps the accepted base URIs.
func TestAcceptedBaseIsReviewed(t *testing.T) {
	bubble(t, "apply", func(t *testing.T) {
		w := moved(t)
		review := w.plan(Options{Review: true, AcceptBase: []dataset.Episode{e1}})
		plan, err := w.planner().Apply(context.Background(), review.Run)
		if err != nil || plan.Tasks != 10 {
			t.Fatalf("%+v, %v", plan, err)
		}
	})
}

// The default folder of another SHUFFLE_IMAGE_SIZE is another base.
func TestDefaultBaseChanges(t *testing.T) {
	bubble(t, "image size", func(t *testing.T) {
		w := moved(t)
		w.config.ImageSize = "large"
		plan := w.plan(Options{DryRun: true})
		if got := of(plan, e2); got.State != state.EpisodeHeld || !strings.Contains(got.Reason, "found the base URI of tuttle_twins/s01e02/default_eng/v1/frames/large/, the default folder") {
			t.Errorf("%+v", got)
		}
	})
}

func TestFlagsOfUnknownEpisodes(t *testing.T) {
	w := newWorld(t)
	w.manifest("S01", e1)
	w.episode(e1, 1)
	for flag, opt := range map[string]Options{
		"--allow-refresh": {AllowRefresh: []dataset.Episode{e2}}, "--accept-base": {AcceptBase: []dataset.Episode{e2}},
	} {
		if _, err := w.planner().Plan(context.Background(), opt); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), flag+" S01E02: no manifest names it") {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

// The planner ignores hidden files in the folder of manifests. JSON under another name is a
// problem.
func TestOtherFilesBesideManifests(t *testing.T) {
	bubble(t, "files", func(t *testing.T) {
		w := newWorld(t)
		w.manifest("S01", e1)
		w.episode(e1, 1)
		for _, name := range []string{"._S01-episodes.json", ".hidden.json", "notes.txt", "S01-episodes.json.bak", "old/S09-episodes.json", "S02 episodes.json", "S03-Episodes.JSON"} {
			w.put(layout.Manifests()+name, "\x00")
		}
		plan := w.plan(Options{DryRun: true})
		if len(plan.Problems) != 2 || problemOf(plan, "S02 episodes.json") == "" || problemOf(plan, "S03-Episodes.JSON") == "" || of(plan, e1).Copy != 1 {
			t.Errorf("%+v", plan.Problems)
		}
		w.remove(layout.Manifests() + "S01-episodes.json")
		if _, err := w.planner().Plan(context.Background(), Options{DryRun: true}); !errors.Is(err, errNoManifests) || !strings.Contains(err.Error(), "S02 episodes.json") {
			t.Error(err)
		}
	})
}
