package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/season"
)

// shuffle plan counts the frames outside training whose image is also in training: fades of two
// episodes.
func TestIdenticalImages(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 2, Frames: 240})
	before := w.plan(0, "--dry-run", "--seed", "7")
	if before.IdenticalImages != 0 {
		t.Errorf("every image is another one, and %d are identical", before.IdenticalImages)
	}
	for i, e := range w.seasons[0].Episodes {
		for n, f := range e.Images {
			// These frames are never neighbours. The first image is in both episodes, the second in one
			if n%8 == i {
				w.must(os.WriteFile(w.image(e, f), fmt.Appendf(nil, "fade %d", n%16/8*(i+1)), 0o600))
			}
		}
	}
	w.finish(w.wanted(), "--seed", "7")
	trained, want := map[string]bool{}, 0
	content := map[string]string{}
	for key := range w.standing() {
		body, err := os.ReadFile(w.ml(key))
		w.must(err)
		content[key] = string(body)
		trained[string(body)] = trained[string(body)] || strings.HasPrefix(key, "train/")
	}
	for key, body := range content {
		if !strings.HasPrefix(key, "train/") && trained[body] {
			want++
		}
	}
	after := w.plan(0, "--dry-run")
	if after.IdenticalImages != want || want < 10 || after.Leakage != before.Leakage {
		t.Errorf("%d identical images, counted %d; leakage %v, before %v", after.IdenticalImages, want, after.Leakage, before.Leakage)
	}
	out, _ := w.run(0, "plan", "--dry-run")
	says(t, out, fmt.Sprintf(`Leakage .*; %d frames outside training have\s+exactly the image of a training frame`, want))
}
