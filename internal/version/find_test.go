package version_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
)

func newStore(t *testing.T) *state.Store {
	t.Helper()
	b, err := dirbucket.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return &state.Store{Bucket: b, Layout: dataset.Layout{Prefix: "tuttle_twins"}}
}

func publish(t *testing.T, s *state.Store, generation int64, rows ...version.Row) {
	t.Helper()
	settings := state.Settings{Definition: state.Definition{Classes: []string{"Junk", "Rare"}}, Datasets: []string{"train", "test"}}
	if _, err := versiontest.Publish(context.Background(), s, state.Version{Generation: generation, Settings: settings}, rows); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	s := newStore(t)
	if _, err := version.Find(t.Context(), s, version.Latest); !errors.Is(err, version.ErrNone) {
		t.Errorf("latest before there is any: %v", err)
	}
	publish(t, s, 3)
	publish(t, s, 5)
	tests := []struct {
		name string
		want int64
		text string
	}{
		{"3", 3, ""}, {"5", 5, ""}, {version.Latest, 5, ""}, {"paper", 3, ""}, {"v1.0", 5, ""},
		{"4", 0, "SHUFFLE_KEEP_VERSIONS"}, {"0", 0, "expected a number"}, {"newest", 0, `there is no tag "newest"`}, {"Paper", 0, `there is no tag "Paper"`},
		{"../3", 0, "expected a number such as 3, a tag, or latest"}, {"-3", 0, "expected a number"}, {"", 0, "expected a number"}, {"9999999999999999999999", 0, "expected a number"},
	}
	for name, generation := range map[string]int64{"paper": 3, "v1.0": 5} {
		if _, err := version.SetTag(t.Context(), s, name, generation, false); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range tests {
		v, err := version.Find(t.Context(), s, test.name)
		if v.Generation != test.want || (err != nil) != (test.want == 0) {
			t.Errorf("%s: version %d, %v", test.name, v.Generation, err)
		}
		if err != nil && (!errors.Is(err, version.ErrNone) || !strings.Contains(err.Error(), test.text)) {
			t.Errorf("%s: %v, expected something of %s", test.name, err, test.text)
		}
	}
}

// A version was deleted although it has a tag.
func TestTagOfNothing(t *testing.T) {
	s := newStore(t)
	publish(t, s, 3)
	publish(t, s, 5)
	for name, generation := range map[string]int64{"paper": 3, "b": 5, "a": 5} {
		if _, err := version.SetTag(t.Context(), s, name, generation, false); err != nil {
			t.Fatal(err)
		}
	}
	deleter := s.Bucket.(state.Remover)
	if _, err := deleter.DeleteObjects(t.Context(), []string{s.Layout.State() + state.VersionName(3, "version.json")}); err != nil {
		t.Fatal(err)
	}
	if _, err := version.Find(t.Context(), s, "paper"); !errors.Is(err, version.ErrNone) || !strings.Contains(err.Error(), "names version 3, of which versions/3/version.json is missing") {
		t.Errorf("%v", err)
	}
	l, err := version.List(t.Context(), s)
	if err != nil || len(l.Versions) != 1 || l.Latest != 5 || !slices.Equal(l.Versions[0].Tags, []string{"a", "b"}) || len(l.Lost) != 1 || l.Lost["paper"] != 3 {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestList(t *testing.T) {
	s := newStore(t)
	if l, err := version.List(t.Context(), s); err != nil || l.Versions == nil || len(l.Versions) != 0 || l.Latest != 0 {
		t.Errorf("without versions: %+v, %v", l, err)
	}
	for _, g := range []int64{3, 5, 12} {
		publish(t, s, g)
	}
	l, err := version.List(t.Context(), s)
	if err != nil || l.Latest != 12 {
		t.Fatalf("%+v, %v", l, err)
	}
	var order []int64
	for _, v := range l.Versions {
		order = append(order, v.Generation)
		if v.Tags == nil {
			t.Errorf("version %d has null for its tags", v.Generation)
		}
	}
	if !slices.Equal(order, []int64{12, 5, 3}) {
		t.Errorf("versions %v, expected the newest first", order)
	}
}

// The classes are in the order of the settings, and changed numbers are reported.
func TestBetweenOfOtherClasses(t *testing.T) {
	made := func(generation int64, classes ...string) state.Version {
		return state.Version{Generation: generation, Settings: state.Settings{Definition: state.Definition{Classes: classes}, Datasets: []string{"train"}}}
	}
	s := newStore(t)
	at := func(i int, class string) version.Row {
		return version.Row{Place: dataset.Place{Dataset: "train", Class: class}, Frame: dataset.FrameAt("S01E01", i), ETag: "1"}
	}
	var all []state.Version
	for _, v := range []struct {
		version state.Version
		rows    []version.Row
	}{
		{made(3, "Junk", "Common", "Rare"), []version.Row{at(0, "Junk"), at(1, "Common"), at(2, "Rare"), at(3, "Odd")}},
		{made(5, "Junk", "Common", "Epic"), []version.Row{at(0, "Junk"), at(1, "Common"), at(2, "Epic"), at(3, "")}},
	} {
		published, err := versiontest.Publish(t.Context(), s, v.version, v.rows)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, published)
	}
	d, err := version.Between(t.Context(), s, all[0], all[1], noChange)
	if err != nil {
		t.Fatal(err)
	}
	var order, numbers []string
	for _, c := range d.Classes {
		order = append(order, c.Class)
	}
	for _, c := range d.ClassNumbers {
		numbers = append(numbers, c.Class)
	}
	if !slices.Equal(order, []string{"Junk", "Common", "Epic", "Rare", "", "Odd"}) {
		t.Errorf("classes %q", order)
	}
	// Common 0, Junk 1, Odd 2, Rare 3 become Common 0, Epic 1, Junk 2.
	if !slices.Equal(numbers, []string{"Epic", "Junk", "Odd", "Rare"}) {
		t.Errorf("class numbers %q", numbers)
	}
	if d, err := version.Between(t.Context(), s, state.Version{}, all[1], noChange); err != nil || d.ClassNumbers != nil {
		t.Errorf("the first version changes numbers: %v, %v", d.ClassNumbers, err)
	}
}

func TestBetween(t *testing.T) {
	s := newStore(t)
	publish(t, s, 3, row("train", "Rare", "1", "1"))
	publish(t, s, 5, row("train", "Junk", "1", "1"))
	five, err := version.Find(t.Context(), s, "5")
	if err != nil {
		t.Fatal(err)
	}
	three, err := version.FindNumber(t.Context(), s, five.Parent)
	if err != nil {
		t.Fatal(err)
	}
	d, err := version.Between(t.Context(), s, three, five, noChange)
	if err != nil || d.From != 3 || d.To != 5 || d.Totals[version.Relabelled] != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err = version.Between(t.Context(), s, state.Version{}, three, noChange); err != nil || d.From != 0 || d.Totals[version.Added] != 1 {
		t.Errorf("the first: %+v, %v", d, err)
	}
}

// Everyone who can write to the bucket can write rows of a version. No row may point outside its
// dataset.
func TestRowsAreChecked(t *testing.T) {
	for _, name := range []string{"train/../TT_S01_E01_FRM-00-00-08-12.jpg", "../Rare/TT_S01_E01_FRM-00-00-08-12.jpg",
		"test/Rare/TT_S01_E01_FRM-00-00-08-12.jpg", "train/a\\b/TT_S01_E01_FRM-00-00-08-12.jpg", "train/Rare/../../x.jpg", "/etc/TT_S01_E01_FRM-00-00-08-12.jpg"} {
		s := newStore(t)
		v := publishFormat1(t, s, 3, row("train", "Rare", "1", "1"))
		body := "file_name,label,key,etag,source_etag,frame\n" + name + ",Rare,k,1,1,TT_S01_E01_FRM-00-00-08-12\n"
		if _, err := s.Write(t.Context(), state.VersionName(3, "train.csv"), []byte(body), bucket.Condition{}); err != nil {
			t.Fatal(err)
		}
		if rows, err := versiontest.Rows(t.Context(), s, v); err == nil {
			t.Errorf("%s: read %+v", name, rows)
		}
		v.Counts = map[string]map[string]int{"../versions": {}}
		if _, err := versiontest.Rows(t.Context(), s, v); err == nil {
			t.Error("read the rows of a dataset named ../versions")
		}
	}
	for _, place := range []dataset.Place{{Dataset: "train", Class: ".."}, {Dataset: "..", Class: "Rare"}, {Dataset: "train", Class: "a\\b"}, {Dataset: "..", Class: ".."}} {
		s := &state.Store{Bucket: &membucket.Bucket{}, Layout: dataset.Layout{Prefix: "tuttle_twins"}}
		v, err := versiontest.Publish(t.Context(), s, state.Version{Generation: 3}, []version.Row{row(place.Dataset, place.Class, "1", "1")})
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := versiontest.Rows(t.Context(), s, v); err == nil {
			t.Errorf("%s: read %+v", place, rows)
		}
	}
}

func publishFormat1(t *testing.T, s *state.Store, generation int64, rows ...version.Row) state.Version {
	t.Helper()
	v := state.Version{Generation: generation, Settings: state.Settings{Datasets: []string{"train", "test"}}}
	v, err := versiontest.PublishFormat1(t.Context(), s, v, rows)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func noChange(version.Change) error { return nil }
