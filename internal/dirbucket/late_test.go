package dirbucket_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
)

// stopped is the context of a process that was stopped until after its deadline: its timers have
// not rung yet.
type stopped struct{ context.Context }

func (stopped) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

func TestLateWritesAreNotMade(t *testing.T) {
	t.Parallel()
	b, err := dirbucket.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.PutObject(t.Context(), "src", []byte("x"), bucket.Condition{}); err != nil {
		t.Fatal(err)
	}
	late := stopped{t.Context()}
	if _, err := b.CopyObject(late, "src", "dst", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("copy: %v", err)
	}
	if failed, err := b.DeleteObjects(late, []string{"src"}); err != nil || len(failed) != 1 || !errors.Is(failed[0], context.DeadlineExceeded) {
		t.Errorf("delete: %v, %v", failed, err)
	}
	page, err := b.ListObjects(t.Context(), bucket.ListInput{})
	if err != nil || len(page.Objects) != 1 || page.Objects[0].Key != "src" {
		t.Errorf("what stands: %v, %v", page.Objects, err)
	}
}
