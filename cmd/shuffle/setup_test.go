package main

import (
	"os"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
)

// shuffle setup, twice, and with another visibility timeout.
func TestSetup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, timeout := range []time.Duration{10 * time.Second, 10 * time.Second, 30 * time.Second} {
		out, _ := w.run(0, "--visibility-timeout", timeout.String(), "setup", "--create-bucket")
		says(t, out, `bucket file://\S+/own/bucket queue `+deadQueue+`.* queue `+resultsQueue+`.* queue `+tasksQueue+
			`, visibility timeout `+timeout.String()+`, to `+deadQueue+` after 5 receives`)
		w.withQueue(tasksQueue, func(q *sqlitequeue.Queue) {
			a, err := q.GetQueueAttributes(t.Context())
			w.must(err)
			if a.VisibilityTimeout != timeout || a.MaxReceiveCount != 5 || a.DeadLetterQueue != deadQueue {
				t.Errorf("%+v", a)
			}
		})
	}
	if st, err := os.Stat(w.bucket()); err != nil || !st.IsDir() {
		t.Errorf("the bucket's folder: %v", err)
	}
}

// shuffle doctor, of a healthy folder, and of one with a broken sheet, a missing sheet and an
// invalid manifest.
func TestDoctor(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 3, Frames: 48})
	out, _ := w.run(0, "doctor")
	says(t, out, `queue `+tasksQueue+`.*sheet of S01E01.*48 frames, 48 images, 0 problems`)

	w.episode(0).Missing = "FRAME NUMBER"
	w.save(w.episode(0))
	gone := w.episode(1).SpreadsheetID
	w.must(os.Remove(w.sheets() + "/" + gone + ".csv"))
	w.put(w.bucket("tuttle_twins", "manifests", "S02-episodes.json"), "{")
	w.run(0, "--max-receive-count", "1", "setup")
	out, _ = w.run(1, "--visibility-timeout", "45s", "doctor")
	says(t, out, `sheet of S01E01.*expected the column "FRAME NUMBER".*fix the sheet`)
	says(t, out, `sheet of S01E02.*`+gone+`.*fix the sheet's address in the manifest`)
	says(t, out, `sheet of S01E03.*48 frames`)
	says(t, out, `S02-episodes\.json.*fix the manifest`)
	says(t, out, `queue `+tasksQueue+` its visibility timeout is 10s, expected 45s → shuffle --local \S+ setup`)
	says(t, out, `queue `+tasksQueue+`, redrive its redrive policy gives a task up after 1 receive, .* → shuffle --local \S+ setup`)
}
