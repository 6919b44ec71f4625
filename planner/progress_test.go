package planner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/manifest"
	"github.com/angel-nft/google-shuffle/internal/rows"
)

func TestStepString(t *testing.T) {
	for _, test := range []struct {
		step Step
		want string
	}{
		{Step{}, ""},
		{Step{Text: "waiting", Left: 6700 * time.Millisecond}, "waiting, about 7 s left"},
		{Step{Text: "waiting", Left: 10 * time.Millisecond}, "waiting, about 1 s left"},
		{Step{Text: "waiting"}, "waiting"},
		{Step{Text: "sheets: 37 of 120 read", Left: 130 * time.Second, Why: "Google allows 60 reads a minute"},
			"sheets: 37 of 120 read, about 2 min left (Google allows 60 reads a minute)"},
	} {
		if got := test.step.String(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// pacedSheets allows one read every five seconds.
type pacedSheets struct{ *sheetTap }

func (pacedSheets) TimeFor(sheets int) (time.Duration, string) {
	return time.Duration(sheets) * 5 * time.Second, "one every five seconds"
}

// A plan shows what it waits for: first the workers of the run before, while it reads the sheets,
// and then the sheets. The pointer has the same text. Without a terminal the planner logs it.
func TestShowsWhatItWaitsFor(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		bubble(t, fmt.Sprint("terminal ", terminal), func(t *testing.T) {
			w := newWorld(t)
			episodes := []dataset.Episode{e1, e2, "S01E03", "S01E04"}
			w.manifest("S01", episodes...)
			for _, e := range episodes {
				w.episode(e, 3)
			}
			w.leave("succeeded")
			var mu sync.Mutex
			var notes []string
			turn := make(chan struct{}, 1)
			w.sheets.before = func(context.Context, string) error {
				turn <- struct{}{} // one at a time
				<-time.After(5 * time.Second)
				<-turn
				mu.Lock()
				notes = append(notes, w.pointer().Note)
				mu.Unlock()
				return nil
			}
			p := w.planner()
			p.Sheets = pacedSheets{w.sheets}
			var shown []string
			if terminal {
				p.Progress = func(s Step) {
					if text := s.String(); len(shown) == 0 || shown[len(shown)-1] != text {
						shown = append(shown, text)
					}
				}
			}
			_, err := p.Plan(t.Context(), Options{})
			w.must(err)
			if !terminal {
				for _, entry := range w.logs.All() {
					shown = append(shown, entry.Message)
				}
			}
			want := []string{"waiting until no worker acts on run 20000101T000000Z-41, about 7 s left"}
			if terminal {
				want = append(want, "sheets: 1 of 4 read, about 15 s left (one every five seconds)", "sheets: 3 of 4 read, about 5 s left (one every five seconds)", "")
			}
			for _, text := range want {
				if !slices.Contains(shown, text) {
					t.Errorf("no %q in %q", text, shown)
				}
			}
			if !strings.HasPrefix(notes[0], "waiting until") || !strings.HasPrefix(notes[3], "sheets: ") {
				t.Errorf("notes %q", notes)
			}
			if note := w.pointer().Note; note != "" {
				t.Errorf("in the end the note is %q", note)
			}
		})
	}
}

// Sheets are read ahead of their use, but at most sheetsAhead of them.
func TestReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var entries []manifest.Entry
		for i := range 40 {
			entries = append(entries, manifest.Entry{Episode: dataset.Episode(fmt.Sprintf("S01E%02d", i+1))})
		}
		var mu sync.Mutex
		read, atOnce, most := 0, 0, 0
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var g errgroup.Group
		r := readAhead(ctx, &g, entries, func(_ context.Context, e manifest.Entry) (rows.Sheet, error) {
			mu.Lock()
			atOnce++
			most = max(most, atOnce)
			mu.Unlock()
			<-time.After(time.Second)
			mu.Lock()
			defer mu.Unlock()
			read++
			atOnce--
			if e.Episode == "S01E02" {
				return rows.Sheet{}, errors.New("held")
			}
			return rows.Sheet{Base: string(e.Episode)}, nil
		}, func() {})
		for used, e := range entries[:20] {
			<-time.After(time.Minute)
			mu.Lock()
			if read != min(sheetsAhead+used, len(entries)) || most > sheetsAtOnce {
				t.Errorf("%d sheets used, %d read, %d at once", used, read, most)
			}
			mu.Unlock()
			s, err := r.sheet(ctx, e.Episode)
			if (err != nil) != (e.Episode == "S01E02") || err == nil && s.Base != string(e.Episode) {
				t.Errorf("%s: %v, %v", e.Episode, s, err)
			}
		}
		cancel()
		_ = g.Wait()
		if _, err := r.sheet(ctx, entries[39].Episode); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
	})
}
