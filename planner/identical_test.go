package planner

import (
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// A frame outside the training dataset counts once when a training frame has the same image, in any
// episode and at any distance.
func TestIdenticalImages(t *testing.T) {
	in := func(name, etag, src string) state.Expected {
		return state.Expected{Place: dataset.Place{Dataset: name, Class: "Common"}, ETag: etag, SrcETag: src}
	}
	type episode = []state.Expected
	for _, c := range []struct {
		name     string
		episodes []episode
		want     int
	}{
		{"nothing", nil, 0},
		{"an image each", []episode{{in("train", "a", ""), in("test", "b", ""), in("validate", "c", "")}}, 0},
		{"test and validate", []episode{{in("train", "a", ""), in("test", "a", ""), in("validate", "a", "")}}, 2},
		{"several training frames count once", []episode{{in("train", "a", ""), in("train", "a", ""), in("test", "a", "")}}, 1},
		{"equal within training", []episode{{in("train", "a", ""), in("train", "a", ""), in("test", "b", "")}}, 0},
		{"equal outside training", []episode{{in("train", "a", ""), in("test", "b", ""), in("validate", "b", "")}}, 0},
		{"a training frame of a later episode", []episode{{in("test", "a", "")}, {in("validate", "b", "")}, {in("train", "a", "")}}, 1},
		{"copies with ETags of their own", []episode{{in("train", "k1", "a"), in("test", "k2", "a"), in("validate", "k1", "b")}}, 1},
		{"a copy against a source", []episode{{in("train", "a", ""), in("test", "k", "a")}}, 1},
	} {
		h := newImageHashes()
		for _, e := range c.episodes {
			h.add(e, "train")
		}
		if got := h.identical(); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
