package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/versiontest"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// assigned lets the dashboard assign frames to datasets, and records the definitions that it uses.
func (w *world) assigned() *[]state.Definition {
	var asked []state.Definition
	w.options.NewAssigner = func(d state.Definition, season []inventory.LabelledFrame, _ dataset.Standing) (Assigner, error) {
		asked = append(asked, d)
		// The frames with a class of both episodes, without the frozen one.
		if d.Stratify && len(season) != 2*(229-1) {
			w.t.Errorf("the season has %d labelled frames", len(season))
		}
		if d.Guard == 7 {
			return nil, errors.New("no guard of seven")
		}
		return drawn{}, nil
	}
	w.plan.Settings.Seed, w.plan.Settings.Split = "seed", "train=0.8,test=0.2"
	w.plan.Settings.Datasets, w.plan.Settings.Listed = []string{"train", "test"}, []string{"train", "test"}
	w.must(w.store.WritePlan(w.t.Context(), w.plan))
	w.surveyed()
	return &asked
}

func TestEpisode(t *testing.T) {
	w := newWorld(t, 3)
	asked := w.assigned()
	w.expect(w.settled("/episodes"), http.StatusOK, "S01E01", "S01E02", `href="/frames?episode=S01E01&amp;only=unclassified"`)
	w.expect(w.settled("/episodes/s1e1"), http.StatusOK, "These are the settings in force", `href="/episodes/S01E02" rel="next"`, "300 frames", "1 frame with a problem", "!dry-run")
	w.expect(w.settled("/episodes/S01E01?group=1m&guard=2&stratify=true"), http.StatusOK, "--group=1m0s --stratify=true --guard=2", "!No frame of this episode", `id="leakage">0.9%`, "With these settings: 2 of 228.", "plan --dry-run --group=1m0s")
	if d := (*asked)[len(*asked)-1]; d.Group != "1m0s" || d.Guard != 2 || !d.Stratify || d.Seed != "seed" || d.Split != "train=0.8,test=0.2" {
		t.Errorf("drawn under %+v", d)
	}
	w.expect(w.settled("/episodes/S01E01?guard=7"), http.StatusOK, "no guard of seven", "Class")
	for _, bad := range []string{"group=x", "group=-1s", "group=1500ms", "group=2h", "guard=x", "guard=-1", "guard=1000", "stratify=maybe"} {
		w.expect(w.get("/episodes/S01E01?"+bad), http.StatusBadRequest, "expected")
	}
	w.expect(w.get("/episodes/S01E09"), http.StatusNotFound, "No run has planned S01E09")
	w.expect(w.get("/episodes/nine"), http.StatusNotFound, "expected the form S01E01")
}

// The script on the page gets the frame at an index. An index past the end returns the last frame.
func TestGlimpse(t *testing.T) {
	w := newWorld(t, 3)
	w.surveyed()
	for index, want := range map[string]preview{
		"0":    {Frame: dataset.FrameAt(e1, 0), Time: "00:00:00:00", Labels: []string{"Rare", "train", "by Jonny’s"}},
		"7":    {Frame: dataset.FrameAt(e1, 7), Time: "00:00:00:07", Labels: []string{"Rare", "train", "by Unsupervised", `unknown class "Epic"`}},
		"9999": {Frame: dataset.FrameAt(e1, 299), Time: "00:00:12:11", Labels: []string{"unclassified", "in no dataset"}},
	} {
		answer := w.get("/episodes/S01E01/at/" + index)
		w.expect(answer, http.StatusOK)
		var got preview
		w.must(json.Unmarshal(answer.Body.Bytes(), &got))
		want.Path, want.Image = page.FramePath(want.Frame), page.ImagePath(sourceKey(want.Frame))
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %+v, want %+v", index, got, want)
		}
	}
	w.expect(w.get("/episodes/S01E01/at/x"), http.StatusNotFound)
	w.expect(w.get("/episodes/S01E09/at/1"), http.StatusNotFound)
}

func TestLabels(t *testing.T) {
	w := newWorld(t, 3)
	w.surveyed()
	// Of each episode's 229 frames with a class, Jonny decides one in five, over "Junk".
	w.expect(w.get("/labels"), http.StatusOK, "Both are filled in for 92 frames; they agree on 39.1%.", `href="/frames?jonny=Rare&amp;unsupervised=Junk"`, "Single-frame islands", "No frame has both columns filled in.")
	w.expect(w.get("/labels?episode=S01E02"), http.StatusOK, "Both are filled in for 46 frames", `href="/frames?episode=S01E02&amp;jonny=Rare&amp;unsupervised=Junk"`)
	w.expect(w.get("/labels?skip=9"), http.StatusBadRequest, "expected")
}

func TestDuplicates(t *testing.T) {
	w := newWorld(t, 3)
	w.surveyed()
	// Two frames share an image. A block of ten begins at an even frame, so no image is in two
	// datasets.
	w.expect(w.settled("/duplicates"), http.StatusOK, "No image is in more than one dataset", "frames outside train have a frame of train right beside them")
	read := w.options.ReadSurvey
	w.options.ReadSurvey = func(ctx context.Context, e dataset.Episode) (*inventory.Survey, error) {
		s, err := read(ctx, e)
		for i := range s.Frames {
			if i == 5 || i == 25 {
				s.Frames[i].Image = "still"
			}
		}
		return s, err
	}
	w.handler = New(w.options)
	w.expect(w.settled("/duplicates"), http.StatusOK, "1 image with 4 frames", page.FramePath(dataset.FrameAt(e1, 25)), page.FramePath(dataset.FrameAt(e2, 5)))
	w.expect(w.settled("/duplicates?episode=S01E01"), http.StatusOK, "1 image with 2 frames")
}

// Versions are compared episode by episode.
func TestVersions(t *testing.T) {
	w := newWorld(t, 3)
	w.expect(w.settled("/versions"), http.StatusOK, "no dataset version yet")
	w.expect(w.get("/versions/compare"), http.StatusNotFound, "none has been published")
	f := dataset.FrameAt(e1, 0)
	w.put(sourceKey(f), w.jpeg)
	publish := func(generation int64, class, digest string) {
		rows := []version.Row{{Place: dataset.Place{Dataset: "train", Class: class}, Frame: f, ETag: "1"}, {Place: rare, Frame: dataset.FrameAt(e2, 0), ETag: "2"}}
		_, err := versiontest.Publish(t.Context(), w.store, state.Version{Generation: generation, Run: runName, Created: time.Now(), Settings: w.plan.Settings, Digests: map[dataset.Episode]string{e1: digest, e2: "same"}}, rows)
		w.must(err)
	}
	publish(3, "Rare", "a")
	publish(5, "Junk", "b")
	publish(6, "Junk", "b")
	w.handler = New(w.options)
	w.expect(w.settled("/versions"), http.StatusOK, "/versions/compare?from=5&amp;to=6", "Trends", "Share of train")
	w.expect(w.settled("/versions/compare?from=3&to=5"), http.StatusOK, "<strong>1</strong> relabelled", "<strong>1</strong> the same", page.ImagePath(sourceKey(f)), "train/Rare → train/Junk", "was=Rare")
	w.expect(w.settled("/versions/compare?from=3&to=5&kind=added"), http.StatusOK, "0 frames added")
	w.expect(w.settled("/versions/compare?from=5"), http.StatusOK, "Version 5 → 6", "<strong>0</strong> relabelled", "<strong>2</strong> the same")
	w.expect(w.get("/versions/compare?from=nine&to=5"), http.StatusNotFound, "no tag")
}

// The library reads missing and old tables, with a limit at a time and a limit per minute.
// Meanwhile it returns the tables that it has.
func TestLibrary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reading, most, readings atomic.Int64
		fail := atomic.Bool{}
		l := newTableCache(func(_ context.Context, e dataset.Episode) (*inventory.Survey, error) {
			most.Store(max(most.Load(), reading.Add(1)))
			defer reading.Add(-1)
			time.Sleep(time.Second) //nolint:forbidigo // Fake time: the duration of a survey.
			readings.Add(1)
			if fail.Load() {
				return nil, errors.New("no credentials")
			}
			return &inventory.Survey{Episode: e}, nil
		})
		var episodes []dataset.Episode
		for i := range 12 {
			episodes = append(episodes, dataset.Episode(fmt.Sprintf("S01E%02d", i+1)))
		}
		begun := time.Now()
		got := l.get(t.Context(), time.Time{}, episodes...)
		if waited := time.Since(begun); waited != pageWait || len(got.Tables) != 0 || got.Missing() != 12 {
			t.Errorf("after %s: %+v", waited, got)
		}
		time.Sleep(7 * time.Second) //nolint:forbidigo // Fake time.
		if got = l.get(t.Context(), time.Time{}, episodes...); len(got.Tables) != 12 || most.Load() != maxSurveys || readings.Load() != 12 {
			t.Errorf("%d tables, %d surveys at once, %d in all", len(got.Tables), most.Load(), readings.Load())
		}

		// Old tables are returned while they are read again, and so are tables that a run has made
		// stale.
		fail.Store(true)
		time.Sleep(tableTTL) //nolint:forbidigo // Fake time.
		begun = time.Now()
		if got = l.get(t.Context(), time.Time{}, episodes[0]); len(got.Tables) != 1 || got.Err != nil || time.Since(begun) != 0 {
			t.Errorf("of an old table: %+v after %s", got, time.Since(begun))
		}
		time.Sleep(2 * time.Second) //nolint:forbidigo // Fake time.
		if readings.Load() != 13 {
			t.Errorf("%d readings after one table had become old", readings.Load())
		}
		fail.Store(false)
		l.get(t.Context(), time.Now(), episodes[1])
		time.Sleep(2 * time.Second) //nolint:forbidigo // Fake time.
		if readings.Load() != 14 {
			t.Errorf("%d readings after a run had ended", readings.Load())
		}

		// A failed read is tried again after a while.
		fail.Store(true)
		l.get(t.Context(), time.Time{}, "S02E01")
		time.Sleep(2 * time.Second) //nolint:forbidigo // Fake time.
		if got = l.get(t.Context(), time.Time{}, "S02E01"); got.Failed != 1 || got.Missing() != 0 || got.Err == nil {
			t.Errorf("what cannot be read: %+v", got)
		}
		fail.Store(false)
		time.Sleep(retryDelay) //nolint:forbidigo // Fake time.
		l.get(t.Context(), time.Time{}, "S02E01")
		time.Sleep(2 * time.Second) //nolint:forbidigo // Fake time.
		if got = l.get(t.Context(), time.Time{}, "S02E01"); len(got.Tables) != 1 {
			t.Errorf("tried again: %+v", got)
		}

		// The reads per minute stay within Google's quota, and the stored tables fit into memory.
		time.Sleep(time.Hour) //nolint:forbidigo // Fake time.
		before := readings.Load()
		for i := range 2 * maxTables {
			l.get(t.Context(), time.Time{}, dataset.Episode(fmt.Sprintf("S03E%02d", i)))
		}
		time.Sleep(time.Minute) //nolint:forbidigo // Fake time.
		if n := readings.Load() - before; n > surveyBurst+12 {
			t.Errorf("%d surveys in a minute", n)
		}
		time.Sleep(time.Hour) //nolint:forbidigo // Fake time.
		l.get(t.Context(), time.Time{}, "S01E01")
		synctest.Wait()
		if n := len(l.entries); n > maxTables {
			t.Errorf("%d tables are kept", n)
		}
		time.Sleep(time.Hour) //nolint:forbidigo // Fake time: all reads end.
	})
}
