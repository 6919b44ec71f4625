package pull

import (
	"context"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// An empty object is no image, even when the version has it so.
func TestPullTakesNoEmptyImage(t *testing.T) {
	w := newWorld(t)
	v := w.publish(3, three)
	f := dataset.FrameAt("S01E01", 7)
	r := version.Row{Place: trainRare, Frame: f}
	var err error
	r.ETag, err = w.bucket.PutObject(context.Background(), layout.Key(r.Place, f), nil, bucket.Condition{})
	w.must(err)
	v, err = versiontest.Publish(context.Background(), w.store, state.Version{Generation: 4, Run: v.Run, Settings: settings, Digests: v.Digests, Bases: v.Bases}, []version.Row{r})
	w.must(err)
	for range 2 {
		result, err := Pull(context.Background(), w.options(v))
		if err != nil || result.Whole() || len(result.Failed) != 1 || !strings.Contains(result.Failed[0].Problem, "is empty (0 bytes)") {
			t.Fatalf("%+v, %v", result, err)
		}
		w.write("train/Rare/"+f.File(), "") // as an earlier pull may have left it
	}
}
