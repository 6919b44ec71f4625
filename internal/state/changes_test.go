package state

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/messages"
)

func sampleChanges() []FrameChange {
	return []FrameChange{
		{Frame: dataset.FrameAt("S01E01", 0), Row: 2, Op: messages.Move, Cause: ChangeRelabelled, From: dataset.Place{Dataset: "train", Class: "Rare"},
			To: dataset.Place{Dataset: "test", Class: "Common"}, Column: "JONNY's RECLASSIFICATION"},
		{Frame: dataset.FrameAt("S01E01", 1), Op: messages.Delete, Cause: ChangeRowGone, From: dataset.Place{Dataset: "train", Class: "=1+1"}, Held: true},
		{Frame: dataset.FrameAt("S01E01", 2), Row: 9, Op: messages.Delete, Cause: ChangeStrayCopy, From: dataset.Place{Dataset: "train", Class: `a "b", c`}, To: dataset.Place{Dataset: "test", Class: "'=x"}},
	}
}

// TestChangesAreKept checks that saved changes are read back, and that every other name has none.
func TestChangesAreKept(t *testing.T) {
	s := &Store{Bucket: &membucket.Bucket{}, Layout: dataset.Layout{Prefix: "tuttle_twins"}}
	ctx := t.Context()
	for _, changes := range [][]FrameChange{sampleChanges(), {}} {
		if err := s.WriteChanges(ctx, "20261123T212443Z-42", "S01E01", changes); err != nil {
			t.Fatal(err)
		}
		got, err := s.ReadChanges(ctx, "20261123T212443Z-42", "S01E01")
		if diff := cmp.Diff(changes, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	if _, err := s.ReadChanges(ctx, "20261123T212443Z-42", "S01E02"); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("another episode: %v", err)
	}
}

// TestDamagedChanges checks that a truncated or changed object is damaged, and is not read as fewer
// changes.
func TestDamagedChanges(t *testing.T) {
	body, err := EncodeChanges(sampleChanges())
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(body)
	flipped[len(flipped)-1] ^= 1 // a bit of the checksum
	for name, damaged := range map[string][]byte{
		"empty": nil, "cut off": body[:len(body)-5], "changed": flipped, "of another kind": encoder.EncodeAll([]byte("a,b\n1,2\n"), nil),
		"no frame": encoder.EncodeAll([]byte("episode,frame,row,op,cause,from_dataset,from_class,to_dataset,to_class,column,held\n,../x,,,,,,,,,\n"), nil),
	} {
		if got, err := DecodeChanges(damaged); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestChangesCSV checks the CSV that people open: it has the header of the contract, and no cell
// that a spreadsheet runs.
func TestChangesCSV(t *testing.T) {
	var out bytes.Buffer
	w, err := NewChangesWriter(&out)
	if err := errors.Join(err, w.Write(sampleChanges()), w.Flush()); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(&out).ReadAll()
	want := [][]string{
		{"episode", "frame", "row", "op", "cause", "from_dataset", "from_class", "to_dataset", "to_class", "column", "held"},
		{"S01E01", "TT_S01_E01_FRM-00-00-00-00", "2", "move", "relabelled", "train", "Rare", "test", "Common", "JONNY's RECLASSIFICATION", "false"},
		{"S01E01", "TT_S01_E01_FRM-00-00-00-01", "", "delete", "row gone", "train", "'=1+1", "", "", "", "true"},
		{"S01E01", "TT_S01_E01_FRM-00-00-00-02", "9", "delete", "stray copy", "train", `a "b", c`, "test", "''=x", "", "false"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestChangeJSON checks that the names in JSON are those of the CSV.
func TestChangeJSON(t *testing.T) {
	for _, c := range sampleChanges() {
		body, err := json.Marshal(c)
		var back FrameChange
		if err := errors.Join(err, json.Unmarshal(body, &back)); err != nil || back != c {
			t.Errorf("%s: %+v, %v", body, back, err)
		}
	}
	body, err := json.Marshal(sampleChanges()[1])
	if want := `{"frame":"TT_S01_E01_FRM-00-00-00-01","op":"delete","cause":"row gone","from_dataset":"train","from_class":"=1+1","held":true}`; err != nil || string(body) != want {
		t.Errorf("%s, %v; want %s", body, err, want)
	}
}

// TestCountChanges checks that all changes are counted, that the first ones are named, and that
// deletions come first.
func TestCountChanges(t *testing.T) {
	var changes []FrameChange
	for i := range 10 {
		changes = append(changes, FrameChange{Frame: dataset.FrameAt("S01E01", i), Cause: []ChangeCause{ChangeNew, ChangeRowGone}[i%2]})
	}
	got := CountChanges("S01E01", changes)
	want := []ChangeCount{
		{Episode: "S01E01", Cause: ChangeRowGone, Count: 5, First: []FrameChange{changes[1], changes[3], changes[5]}},
		{Episode: "S01E01", Cause: ChangeNew, Count: 5, First: []FrameChange{changes[0], changes[2], changes[4]}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	both := append(CountChanges("S01E02", changes[:1]), got...)
	SortChangeCounts(both)
	if both[0].Episode != "S01E01" || both[2].Episode != "S01E02" {
		t.Errorf("order: %+v", both)
	}
}

// TestCausesAreListed checks that each cause has a place in the order.
func TestCausesAreListed(t *testing.T) {
	if n := len(ChangeCauses); n != 11 || len(slices.Compact(slices.Sorted(slices.Values(ChangeCauses)))) != n {
		t.Errorf("%d causes: %q", n, ChangeCauses)
	}
}
