package versions

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/state"
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

func publish(t *testing.T, s *state.Store, generation int64, rows ...state.VersionRow) {
	t.Helper()
	settings := state.Settings{Definition: state.Definition{Classes: []string{"Junk", "Rare"}}, Datasets: []string{"train", "test"}}
	if _, err := s.PublishVersion(context.Background(), state.Version{Generation: generation, Settings: settings}, rows); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	s := newStore(t)
	if _, err := Find(t.Context(), s, Latest); !errors.Is(err, ErrNone) {
		t.Errorf("latest before there is any: %v", err)
	}
	publish(t, s, 3)
	publish(t, s, 5)
	tests := []struct {
		name string
		want int64
		text string
	}{
		{"3", 3, ""}, {"5", 5, ""}, {Latest, 5, ""},
		{"4", 0, "SHUFFLE_KEEP_VERSIONS"}, {"0", 0, "expected a number"}, {"newest", 0, "expected a number"}, {"../3", 0, "expected a number"},
	}
	for _, test := range tests {
		v, err := Find(t.Context(), s, test.name)
		if v.Generation != test.want || (err != nil) != (test.want == 0) {
			t.Errorf("%s: version %d, %v", test.name, v.Generation, err)
		}
		if err != nil && (!errors.Is(err, ErrNone) || !strings.Contains(err.Error(), test.text)) {
			t.Errorf("%s: %v, expected something of %s", test.name, err, test.text)
		}
	}
}

func TestBetween(t *testing.T) {
	s := newStore(t)
	publish(t, s, 3, row("train", "Rare", "1", "1"))
	publish(t, s, 5, row("train", "Junk", "1", "1"))
	five, err := Find(t.Context(), s, "5")
	if err != nil {
		t.Fatal(err)
	}
	three, err := FindNumber(t.Context(), s, five.Parent)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Between(t.Context(), s, three, five)
	if err != nil || d.From != 3 || d.To != 5 || d.Totals[Relabelled] != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err = Between(t.Context(), s, state.Version{}, three); err != nil || d.From != 0 || d.Totals[Added] != 1 {
		t.Errorf("the first: %+v, %v", d, err)
	}
}

// Whoever can write to the bucket can write rows of a version. None of them leads out of its dataset.
func TestRowsAreChecked(t *testing.T) {
	for _, name := range []string{"train/../TT_S01_E01_FRM-00-00-08-12.jpg", "../Rare/TT_S01_E01_FRM-00-00-08-12.jpg",
		"test/Rare/TT_S01_E01_FRM-00-00-08-12.jpg", "train/a\\b/TT_S01_E01_FRM-00-00-08-12.jpg", "train/Rare/../../x.jpg", "/etc/TT_S01_E01_FRM-00-00-08-12.jpg"} {
		s := newStore(t)
		publish(t, s, 3, row("train", "Rare", "1", "1"))
		body := "file_name,label,key,etag,source_etag,frame\n" + name + ",Rare,k,1,1,TT_S01_E01_FRM-00-00-08-12\n"
		if _, err := s.Write(t.Context(), state.VersionName(3, "train.csv"), []byte(body), bucket.Condition{}); err != nil {
			t.Fatal(err)
		}
		v, err := Find(t.Context(), s, "3")
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := Rows(t.Context(), s, v); err == nil {
			t.Errorf("%s: read %+v", name, rows)
		}
		v.Counts = map[string]map[string]int{"../versions": {}}
		if _, err := Rows(t.Context(), s, v); err == nil {
			t.Error("read the rows of a dataset named ../versions")
		}
	}
}
