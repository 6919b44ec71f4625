package main

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/season"
)

// The keys of DESIGN 10.
var (
	planKeys    = []string{"run", "generation", "state", "tasks", "totals", "episodes", "problems", "cost_usd", "leakage", "identical_images"}
	totalsKeys  = []string{"keep", "copy", "move", "refresh", "delete", "frozen"}
	episodeKeys = append([]string{"season", "episode", "state", "reason", "problems"}, totalsKeys...)
	problemKeys = []string{"row", "frame", "problem"}
	statusKeys  = []string{"run", "generation", "state", "reason", "tasks", "done", "dead", "outcomes", "differences",
		"held", "started", "finished", "rate", "eta_seconds", "last_result_seconds"}
	outcomeKeys = []string{"copied", "moved", "refreshed", "deleted", "superseded", "dead"}
)

type object = map[string]any

// hasKeys checks that an object has all of the keys.
func hasKeys(t *testing.T, what string, o object, keys []string) {
	t.Helper()
	for _, key := range keys {
		if _, ok := o[key]; !ok {
			t.Errorf("%s has no %q: %v", what, key, o)
		}
	}
}

func objects(list any) (all []object) {
	for _, v := range list.([]any) {
		all = append(all, v.(object))
	}
	return all
}

// shuffle plan --json, in each mode, with problems of every kind.
func TestPlanKeys(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 2, Frames: 120, Oddities: true})
	w.put(w.bucket("tuttle_twins", "manifests", "S02-episodes.json"), "{")
	for _, mode := range []string{"--dry-run", "--review", "--supersede"} {
		out, _ := w.run(1, "plan", "--json", mode)
		plan := decode[object](t, out)
		hasKeys(t, "plan "+mode, plan, planKeys)
		hasKeys(t, "totals", plan["totals"].(object), totalsKeys)
		for _, e := range objects(plan["episodes"]) {
			hasKeys(t, "episode", e, episodeKeys)
			for _, p := range objects(e["problems"]) {
				hasKeys(t, "problem", p, problemKeys)
			}
			if held := e["state"] == "held"; held != (e["reason"] != "") || !held && e["state"] != "planned" {
				t.Errorf("episode %v: state %v, reason %v", e["episode"], e["state"], e["reason"])
			}
		}
		manifests := objects(plan["problems"])
		if len(manifests) != 1 {
			t.Fatalf("%d manifest problems", len(manifests))
		}
		hasKeys(t, "manifest problem", manifests[0], []string{"manifest", "problem"})
		if _, number := plan["cost_usd"].(float64); !number {
			t.Errorf("cost_usd is %v", plan["cost_usd"])
		}
	}
}

// shuffle status --json, shuffle runs --json, shuffle track --json and shuffle run --json have
// exactly these keys.
func TestStatusKeys(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 48})
	check := func(what string, s object) {
		t.Helper()
		if diff := cmp.Diff(slices.Sorted(slices.Values(statusKeys)), slices.Sorted(maps.Keys(s))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(outcomeKeys)), slices.Sorted(maps.Keys(s["outcomes"].(object)))); diff != "" {
			t.Errorf("outcomes in %s (-want +got):\n%s", what, diff)
		}
	}
	w.plan(0)
	out, _ := w.run(0, "status", "--json")
	running := decode[object](t, out)
	check("status", running)
	if running["finished"] != nil || running["eta_seconds"] != nil || running["state"] != "running" {
		t.Errorf("a run without a worker: %v", running)
	}
	w.run(0, "work", "--exit-when-idle", "100ms")
	out, _ = w.run(0, "track", "--until-done", "--json")
	ended := decode[object](t, out)
	check("track", ended)
	if ended["finished"] == nil || ended["eta_seconds"] != 0.0 || ended["state"] != "succeeded" {
		t.Errorf("an ended run: %v", ended)
	}
	out, _ = w.run(0, "run", "--json")
	check("run", decode[object](t, out))
	out, _ = w.run(0, "runs", "--json")
	runs := decode[[]object](t, out)
	if len(runs) != 2 || runs[1]["run"] != ended["run"] {
		t.Fatalf("runs: %s", out)
	}
	for _, r := range runs {
		check("runs", r)
	}
	out, _ = w.run(0, "runs", "--limit", "1")
	says(t, out, runs[0]["run"].(string)+` . succeeded`)
	out, _ = w.run(0, "status", "--watch", "--json", ended["run"].(string))
	check("status of an earlier run", decode[object](t, out))
}
