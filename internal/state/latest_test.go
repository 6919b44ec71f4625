package state_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// If latest.json is missing or damaged, the latest version is the newest complete one. The next
// published version writes latest.json again.
func TestLatestIsFoundAgain(t *testing.T) {
	for _, body := range []string{"", `{"v":1,"gen`, "<html>", `{"v":1,"generation":9}`} {
		w := newSettingsWorld(t)
		w.version(plan(3, "three", "train", "test"))
		w.version(plan(5, "five", "train", "test"))
		w.put(state.VersionName(7, "train.csv"), "the beginning of a version")
		w.put(state.VersionName(6, "version.json"), `{"v":1,"generation":5}`)
		_, err := w.Write(t.Context(), state.LatestName, []byte(body), bucket.Condition{})
		w.must(err)
		if v, err := w.LatestVersion(t.Context()); err != nil || v.Generation != 5 {
			t.Errorf("%q: version %d, %v", body, v.Generation, err)
		}
		w.version(plan(8, "eight", "train", "test"))
		if v, err := w.LatestVersion(t.Context()); err != nil || v.Generation != 8 || v.Parent != 5 {
			t.Errorf("%q: then version %d of parent %d, %v", body, v.Generation, v.Parent, err)
		}
	}
}

// If every version is damaged, the error says what to do. When they are deleted, there is none.
func TestEveryVersionIsDamaged(t *testing.T) {
	w := newSettingsWorld(t)
	generations := []int64{3, 5}
	for _, g := range generations {
		w.version(plan(g, "run", "train", "test"))
	}
	for _, g := range generations {
		w.put(state.VersionName(g, state.VersionFile), "{")
	}
	if v, err := w.LatestVersion(t.Context()); !errors.Is(err, state.ErrDamaged) || !strings.Contains(err.Error(), "versions/5/version.json: damaged") || !strings.Contains(err.Error(), "or delete it") {
		t.Errorf("version %d, %v", v.Generation, err)
	}
	for _, g := range generations {
		_, err := w.Bucket.(state.Remover).DeleteObjects(t.Context(), []string{w.Layout.State() + state.VersionName(g, state.VersionFile)})
		w.must(err)
	}
	if v, err := w.LatestVersion(t.Context()); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("after the deletion: version %d, %v", v.Generation, err)
	}
}
