package dashboard

import (
	"encoding/base64"
	"html"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

var noCondition = bucket.Condition{}

// The report contains images of each kind of task, from all parts of the run. It leaves out images
// that cannot be read.
func TestReport(t *testing.T) {
	w := newWorld(t, 300)
	for i := range 300 {
		w.put(w.imageOf(i), w.jpeg)
	}
	broken, large := dataset.FrameAt(e1, 0), dataset.FrameAt(e1, 2)
	w.put(sourceKey(broken), []byte("no image"))
	w.put(sourceKey(large), append(w.jpeg[:len(w.jpeg):len(w.jpeg)], make([]byte, reportImage)...))
	status := state.StatusOf(w.pointer, state.Progress{Tasks: 600, Done: 600}, &state.Plan{})
	status.State = state.Succeeded
	r := &state.Report{Status: status, Verified: true, Episodes: w.plan.Episodes, Settings: w.plan.Settings}
	body, err := Report(t.Context(), w.options, r)
	if err != nil {
		t.Fatal(err)
	}
	page := html.UnescapeString(string(body))
	// 400 copies and 200 deletions, half of each in S01E01, which has the images: 12 of 24, one of
	// which is broken or large.
	if n := strings.Count(page, "data:image/jpeg;base64,"+base64.StdEncoding.EncodeToString(w.jpeg)); n < 20 || n > 24 {
		t.Errorf("%d images in the report", n)
	}
	for _, want := range []string{"succeeded", "yes: a listing equals the plan", "source image is gone", "problem 199 of S01E02", "and 100 more"} {
		if !strings.Contains(strings.ToLower(page), strings.ToLower(want)) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if strings.Contains(page, string(dataset.FrameAt(e2, 299))+`"`) || strings.Contains(page, `src="/`) || strings.Contains(page, `href="/`) {
		t.Error("the report refers to the server")
	}
}

// A state that cannot be read is an error: the tracker then ends the run without the page.
func TestReportOfABrokenBucket(t *testing.T) {
	w := newWorld(t, 3)
	w.bucket.fail(errBroken)
	if _, err := Report(t.Context(), w.options, &state.Report{Status: state.Status{Run: runName}}); err == nil {
		t.Error("no error")
	}
}
