package state

import (
	"slices"
	"testing"
	"time"
)

func TestRunNames(t *testing.T) {
	begun := time.Date(2026, 11, 23, 21, 24, 43, 0, time.UTC)
	for _, tc := range []struct {
		name       string
		generation int64
		begun      time.Time
		unique     bool
	}{
		{"20261123T212443Z-42-k7f3", 42, begun, true},
		{"20261123T212443Z-42", 42, begun, false}, // of an earlier build
		{"20261123T212443Z-9223372036854775807-0000", 9223372036854775807, begun, true},
		{"20261123T212443Z-0-k7f3", 0, begun, false},
		{"20261123T212443Z--42-k7f3", 0, begun, false},
		{"20261123T212443Z-42-K7F3", 42, begun, false},
		{"20261123T212443Z-42-k7f3x", 42, begun, false},
		{"20261123T212443Z", 0, begun, false},
		{"notes", 0, time.Time{}, false},
		{"", 0, time.Time{}, false},
	} {
		if got := GenerationOf(tc.name); got != tc.generation {
			t.Errorf("generation of %q: %d, want %d", tc.name, got, tc.generation)
		}
		if got := StartOf(tc.name); !got.Equal(tc.begun) {
			t.Errorf("start of %q: %s, want %s", tc.name, got, tc.begun)
		}
		if got := UniqueRun(tc.name); got != tc.unique {
			t.Errorf("%q is unique: %t", tc.name, got)
		}
	}
	name := NewRunName(begun.In(time.FixedZone("east", 3600)), 42)
	if !UniqueRun(name) || GenerationOf(name) != 42 || !StartOf(name).Equal(begun) || !ValidRun(name) {
		t.Errorf("%q", name)
	}
}

// Names with and without the random characters, in one list.
func TestCompareRuns(t *testing.T) {
	want := []string{"notes", "20261123T212443Z-9", "20261122T212443Z-10-zzzz", "20261121T212443Z-11", "20261121T212443Z-11-aaaa", "20261120T212443Z-100-aaaa"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, CompareRuns)
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}
