package show

import (
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

func sampleVersions() version.Listing {
	sampleVersion := func(g int64, frames int) version.Listed {
		return version.Listed{Version: state.Version{Generation: g, Created: finished, Frames: frames, Settings: settings, Counts: map[string]map[string]int{
			"train": {"Junk": 3_017, "Common": frames - 25_000}, "validate": {"Common": 8_580}, "test": {"Common": 10_000, "Rare": 3_403}}}}
	}
	all := []version.Listed{sampleVersion(42, 85_782), sampleVersion(41, 85_774), sampleVersion(38, 345_600)}
	all[0].Restores, all[1].Held = 38, samplePlan().Held()
	return version.Listing{Versions: all, Latest: 42}
}

// taggedVersions has tags beside all else that is said of a version, and one whose version somebody
// has deleted.
func taggedVersions() version.Listing {
	l := sampleVersions()
	l.Versions[1].Tags, l.Versions[2].Tags = []string{"now"}, []string{"paper-1", "v1.0"}
	l.Lost = map[string]int64{"paper-0": 12}
	return l
}

// newClass is what the class Epic changes.
func newClass() []state.ClassNumber {
	return state.ClassNumberChanges(classes, append([]string{"Epic"}, classes...))
}

// hostileClasses are of a folder's classes.json, which anybody can have written.
func hostileClasses() []state.ClassNumber {
	before := map[string]int{hostile: 0, "": 1}
	for i := range 100 {
		before[fmt.Sprintf("Class%03d", i)] = i
	}
	return state.ChangedNumbers(before, nil)
}

func sampleDiff() version.Diff {
	d := version.Diff{From: 41, To: 42, Same: 85_731, Settings: []state.SettingChange{{Name: "group", Before: "0s", After: "10s"}},
		Totals:       map[version.Kind]int{version.Added: 31, version.Removed: 23, version.Relabelled: 18, version.Moved: 2, version.Refreshed: 0},
		ClassNumbers: newClass(),
		Classes: []version.ClassChanges{{Class: "", Before: 3, After: 0, Removed: 3}, {Class: "Common", Before: 58_240, After: 58_237, Added: 31, Removed: 20, RelabelledTo: 2, RelabelledFrom: 16},
			{Class: "Legendary", Before: 7, After: 23, RelabelledTo: 16, Moved: 2}, {Class: "Rare", Before: 2, RelabelledFrom: 2}},
		Relabellings: []version.Relabelling{{From: "Common", To: "Legendary", Frames: 16}, {From: "Rare", To: "Common", Frames: 2}},
	}
	for i, kind := range []version.Kind{version.Added, version.Relabelled, version.Removed, version.Moved, version.Refreshed} {
		c := version.Change{Frame: dataset.FrameAt("S01E01", i), Kind: kind, From: []string{"train/Common"}, To: []string{"train/Legendary"}}
		switch kind {
		case version.Added:
			c.From = nil
		case version.Moved:
			c.From, c.To = []string{"test/Legendary"}, []string{"train/Legendary"}
		case version.Removed:
			c.To, c.From = nil, []string{"test/Junk", "train/Common"}
		}
		d.Changes = append(d.Changes, c)
	}
	for i := range 20 {
		d.Changes = append(d.Changes, version.Change{Frame: dataset.FrameAt("S01E03", i), Kind: version.Removed, From: []string{"validate/Common"}})
	}
	return d
}
