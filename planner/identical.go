package planner

import (
	"cmp"
	"hash/maphash"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// imageHashes finds the frames outside the training dataset that have the same image as a training
// frame. It keeps 8 bytes a frame, since a plan may have a million frames. Two images count as
// equal when the 64-bit hashes of their ETags are equal.
type imageHashes struct {
	seed maphash.Seed
	// Each episode has one slice of exactly the length that it needs. A slice that grows would take
	// twice the memory.
	train, others [][]uint64
}

func newImageHashes() imageHashes { return imageHashes{seed: maphash.MakeSeed()} }

// add hashes the expected copies of an episode. A frozen frame counts with the ETag of its copy.
func (h *imageHashes) add(expected []state.Expected, training string) {
	n := 0
	for _, e := range expected {
		if e.Place.Dataset == training {
			n++
		}
	}
	train, others := make([]uint64, 0, n), make([]uint64, 0, len(expected)-n)
	for _, e := range expected {
		hash := maphash.String(h.seed, cmp.Or(e.SrcETag, e.ETag))
		if e.Place.Dataset == training {
			train = append(train, hash)
		} else {
			others = append(others, hash)
		}
	}
	h.train, h.others = append(h.train, train), append(h.others, others)
}

// identical counts the frames outside the training dataset that have the same image as a training
// frame of any episode.
func (h *imageHashes) identical() (n int) {
	train := slices.Concat(h.train...)
	slices.Sort(train)
	for _, others := range h.others {
		for _, hash := range others {
			if _, found := slices.BinarySearch(train, hash); found {
				n++
			}
		}
	}
	return n
}
