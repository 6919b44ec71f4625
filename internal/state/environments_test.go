package state

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
)

func TestOtherEnvironments(t *testing.T) {
	s := &Store{Bucket: &membucket.Bucket{}, Layout: dataset.Layout{Prefix: "tt"}}
	list := func(generation int64, want ...string) {
		t.Helper()
		got, err := s.OtherEnvironments(t.Context(), generation)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("since generation %d (-want +got):\n%s", generation, diff)
		}
	}
	note := func(e OtherEnvironment) {
		t.Helper()
		if err := s.NoteEnvironment(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	list(0)
	seen := time.Date(2026, 11, 23, 21, 24, 43, 0, time.UTC)
	staging := OtherEnvironment{Scope: "b/staging", Queue: "results", Run: "r-1", Generation: 4, Seen: seen}
	older := OtherEnvironment{Scope: "a/older", Queue: "tasks", Run: "r-2", Generation: 3, Seen: seen}
	note(OtherEnvironment{Scope: "b/staging", Queue: "tasks", Generation: 2})
	note(staging) // the newest message of a scope counts
	note(older)
	list(0, "a/older", "b/staging")
	list(4, "b/staging")
	list(5)
	if _, err := s.Write(t.Context(), environmentsName, []byte("{damaged"), bucket.Condition{}); err != nil {
		t.Fatal(err)
	}
	list(0)
	for i := range 20 {
		note(OtherEnvironment{Scope: fmt.Sprintf("s%02d", i), Generation: 9})
	}
	all, err := s.OtherEnvironments(t.Context(), 0)
	if err != nil || len(all) != maxEnvironments || all[0] != "s04" {
		t.Errorf("%d kept, from %s; %v", len(all), all[0], err)
	}
}
