package planner

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Share is one dataset's part of the split.
type Share struct {
	Dataset string
	Ratio   float64 // 0 to 1
}

// Split divides the line from 0 to 1 among the datasets, in order.
type Split []Share

// ParseSplit reads "train=0.7,validate=0.1,test=0.2". The sum of the ratios must be 1.
func ParseSplit(s string) (Split, error) {
	var split Split
	sum := 0.0
	seen := map[string]bool{}
	for part := range strings.SplitSeq(s, ",") {
		name, ratio, ok := strings.Cut(strings.TrimSpace(part), "=")
		r, err := strconv.ParseFloat(ratio, 64)
		if !ok || err != nil || !(r >= 0 && r <= 1) || !dataset.ValidName(name) || seen[name] {
			return nil, fmt.Errorf("split %q: %q is not NAME=RATIO with a new name of up to %d letters, digits, - and _ and a ratio from 0 to 1", s, part, dataset.MaxName)
		}
		seen[name] = true
		sum += r
		split = append(split, Share{Dataset: name, Ratio: r})
	}
	if math.Abs(sum-1) > 1e-6 {
		return nil, fmt.Errorf("split %q: the ratios sum to %.6g, expected 1", s, sum)
	}
	return split, nil
}

// Datasets returns the names, in order.
func (s Split) Datasets() []string {
	names := make([]string, len(s))
	for i, share := range s {
		names[i] = share.Dataset
	}
	return names
}

// training returns the dataset that models are trained on: the one named train, else the first.
func (s Split) training() string {
	if slices.Contains(s.Datasets(), "train") {
		return "train"
	}
	return s[0].Dataset
}

// At returns the dataset at a point of the line, 0 ≤ u < 1. A rest from rounding belongs to the
// last dataset with a share.
func (s Split) At(u float64) string {
	end, last := 0.0, ""
	for _, share := range s {
		if share.Ratio == 0 {
			continue
		}
		end += share.Ratio
		last = share.Dataset
		if u < end {
			break
		}
	}
	return last
}

// Position returns the point of a unit on the line from 0 to 1: the first 8 bytes, big-endian, of
// SHA-256(seed + "\n" + unit) over 2^64. The same seed always gives the same point.
func Position(seed, unit string) float64 {
	sum := sha256.Sum256([]byte(seed + "\n" + unit))
	return float64(binary.BigEndian.Uint64(sum[:8])) / (1 << 64)
}

// kept reports whether a unit belongs to the subsample of one in n. It uses bytes of the hash that
// Position does not use.
func kept(seed, unit string, n int) bool {
	if n <= 1 {
		return true
	}
	sum := sha256.Sum256([]byte(seed + "\n" + unit))
	return binary.BigEndian.Uint64(sum[8:16])%uint64(n) == 0
}

// Unit returns the unit of a frame. A unit is assigned to a dataset as a whole. Without a group, it
// is the frame. With one, it is the block of that length that contains the frame. So neighbouring
// frames, which are near duplicates, stay together.
func Unit(f dataset.Frame, group time.Duration) string {
	if group <= 0 {
		return string(f)
	}
	return blockUnit(f.Episode(), block(f.Index(), group), group)
}

func blockUnit(e dataset.Episode, block int, group time.Duration) string {
	return string(e) + "/" + group.String() + "/" + strconv.Itoa(block)
}

// block returns the number of the block that contains the frame with that index.
func block(index int, group time.Duration) int {
	return int(time.Duration(index) * time.Second / dataset.FPS / group)
}

// String returns the split in the form that ParseSplit reads.
func (s Split) String() string {
	parts := make([]string, len(s))
	for i, share := range s {
		parts[i] = share.Dataset + "=" + strconv.FormatFloat(share.Ratio, 'g', -1, 64)
	}
	return strings.Join(parts, ",")
}
