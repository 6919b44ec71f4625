package tracker_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// slowReads lists the first episode only when what should be there has been asked for, and takes a
// while for every episode, the longer the earlier it is.
type slowReads struct {
	*memBucket
	asked chan struct{}
	once  sync.Once
}

func (b *slowReads) GetObject(ctx context.Context, key, known string) (bucket.Content, error) {
	if strings.Contains(key, "/expected-S01E01") {
		b.once.Do(func() { close(b.asked) })
	}
	return b.memBucket.GetObject(ctx, key, known)
}

func (b *slowReads) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	if _, name, ok := strings.Cut(in.Prefix, "/TT_S01_E0"); ok {
		if name[0] == '1' {
			<-b.asked
		}
		<-time.After(time.Duration('9'-name[0]) * time.Second)
	}
	return b.memBucket.ListObjects(ctx, in)
}

// Two episodes are listed at once, and what should be there is read meanwhile. The differences are
// in order all the same.
func TestEpisodesAreComparedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan, _ := w.plan(runName(1), 1, 3)
		var want []dataset.Episode
		for _, e := range []dataset.Episode{e2, "S01E03", "S01E04", "S01E05", "S01E06", "S01E07", "S01E08"} {
			plan.Digests[e] = w.digest(e)
			f := dataset.FrameAt(e, 1)
			w.bucket.put(layout.Key(place(f), f), "a stranger")
			want = append(want, e)
		}
		w.must(w.store.WritePlan(t.Context(), plan))
		w.point(state.Pointer{Run: plan.Run, Generation: 1, State: state.Failed, Tasks: 3, Fence: state.DefaultFence})
		want = append(want, e1, e1, e1) // its tasks are not done
		slices.Sort(want)
		tr := w.tracker()
		tr.Store = &state.Store{Bucket: &slowReads{memBucket: w.bucket, asked: make(chan struct{})}, Layout: layout}
		begun := time.Now()
		v, err := tr.Verify(t.Context())
		w.must(err)
		var got []dataset.Episode
		for _, d := range v.First {
			got = append(got, d.Episode)
		}
		if !slices.Equal(got, want) {
			t.Errorf("differences of %v, want %v", got, want)
		}
		if took := time.Since(begun); took > 25*time.Second { // one after the other: 36
			t.Errorf("took %s", took)
		}
	})
}
