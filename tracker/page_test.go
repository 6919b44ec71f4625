package tracker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// The page is made from the report, and is written beside it; a run does not go on for want
// of it.
func TestPage(t *testing.T) {
	for name, failure := range map[string]error{"made": nil, "failing": errors.New("no such template")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				plan := w.published(runName(1), 1, 10)
				w.work(nil)
				tr := w.tracker()
				tr.Options.Page = func(_ context.Context, r *state.Report) ([]byte, error) {
					return []byte("<p>" + r.State), failure
				}
				status, err := tr.Run(t.Context())
				w.must(err)
				if status.State != state.Succeeded {
					t.Errorf("the run is %s", status.State)
				}
				c, err := w.store.Read(t.Context(), state.RunName(plan.Run, state.PageName))
				if failure == nil && (err != nil || !strings.HasPrefix(string(c.Body), "<p>succeeded\n")) {
					t.Errorf("report.html is %q, error %v", c.Body, err)
				}
				if failure != nil && (!errors.Is(err, bucket.ErrNotFound) || w.logs.FilterMessage("a run ends without its report.html").Len() != 1) {
					t.Errorf("report.html: error %v; logs %v", err, w.logs.All())
				}
			})
		})
	}
}
