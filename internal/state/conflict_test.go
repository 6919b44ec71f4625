package state_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
)

// racing refuses the first conditional writes of a name with 409. S3 does this while another
// request for the key is under way, even if that request fails.
type racing struct {
	*dirbucket.Bucket
	name  string
	times int
}

func (b *racing) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	if cond != (bucket.Condition{}) && strings.HasSuffix(key, b.name) && b.times > 0 {
		b.times--
		return "", &bucket.Error{Op: "PutObject", Key: key, Code: bucket.CodeConflict, Status: 409, Err: errors.New("another one is under way")}
	}
	return b.Bucket.PutObject(ctx, key, body, cond)
}

func (b *racing) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	return membucket.PutFrom(ctx, b.PutObject, key, body, cond)
}

func raced(t *testing.T, name string, times int) *state.Store {
	t.Helper()
	b, err := dirbucket.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &state.Store{Bucket: &racing{b, name, times}, Layout: dataset.Layout{Prefix: "tt"}}
}

// A published version is complete: a file that a race refused is written again.
func TestVersionAfterARace(t *testing.T) {
	for _, name := range []string{"train.csv", "classes.json", "version.json"} {
		s := raced(t, name, 2)
		v := state.Version{Generation: 1, Settings: state.Settings{Datasets: []string{"train", "test"}}}
		if _, err := versiontest.Publish(t.Context(), s, v, nil); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, object := range []string{"train.csv", "test.csv", "classes.json", "version.json"} {
			if _, err := s.Read(t.Context(), state.VersionName(1, object)); err != nil {
				t.Errorf("after a race for %s: %v", name, err)
			}
		}
	}
}

func TestSwapInARace(t *testing.T) {
	next := state.Pointer{Generation: 1, Run: "r", State: state.Planning}
	for _, tt := range []struct {
		name     string
		times    int
		conflict bool
	}{
		{"nothing has changed: tried again", 3, false},
		{"for ever", 1000, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := raced(t, "current.json", tt.times)
			if _, err := s.Swap(t.Context(), state.PointerSnapshot{}, next); errors.Is(err, state.ErrConflict) != tt.conflict || err == nil == tt.conflict {
				t.Errorf("error %v, a conflict expected: %t", err, tt.conflict)
			}
		})
	}
	t.Run("somebody else was faster", func(t *testing.T) {
		s := raced(t, "current.json", 0)
		first, err := s.Swap(t.Context(), state.PointerSnapshot{}, next)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Swap(t.Context(), state.PointerSnapshot{}, next); !errors.Is(err, state.ErrConflict) {
			t.Errorf("error %v of a write over the pointer of another, expected a conflict", err)
		}
		if _, err := s.Swap(t.Context(), first, next); err != nil {
			t.Errorf("error %v of the one who holds the pointer", err)
		}
	})
}
