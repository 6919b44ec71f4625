// Package season generates a season like the ML team's: episodes with their frames as images, a
// spreadsheet for each episode in the real styles, and the manifest. The demo and the tests use it.
// The same Options give the same bytes.
package season

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Options of a season. The zero value of a field means its default.
type Options struct {
	Season   string // S01
	Episodes int    // 3
	Frames   int    // of each episode: 2,000, which are 83 seconds
	// Oddities adds the faults of real sheets (DESIGN 4) to each episode, a few rows of each kind,
	// and one more episode whose sheet lacks a required column. Below 100 frames the odd rows
	// exceed SHUFFLE_MAX_BAD_ROWS, so every episode is held.
	Oddities  bool
	Prefix    string // tuttle_twins
	ImageSize string // thumbnails
	Bucket    string // in the sheets' base URIs: media.angel-nft.com
	Seed      uint64
}

func (o Options) withDefaults() Options {
	for _, s := range []struct {
		field *string
		value string
	}{{&o.Season, "S01"}, {&o.Prefix, "tuttle_twins"}, {&o.ImageSize, "thumbnails"}, {&o.Bucket, "media.angel-nft.com"}} {
		if *s.field == "" {
			*s.field = s.value
		}
	}
	if o.Episodes == 0 {
		o.Episodes = 3
	}
	if o.Frames == 0 {
		o.Frames = 2000
	}
	return o
}

// Season is a generated season. Its episodes may be edited and written again.
type Season struct {
	Options  Options // with the defaults filled in
	Episodes []*Episode
}

// heldFrames is the largest number of frames in the held episode, because only its sheet matters.
const heldFrames = 240

// Generate makes the season in memory, without drawing or writing. It fails when the season's code
// does not have the form S01, or when there are more episodes than codes.
func Generate(o Options) (*Season, error) {
	o = o.withDefaults()
	s := &Season{Options: o}
	for n := 1; n <= o.Episodes; n++ {
		e, err := newEpisode(o, n, o.Frames)
		if err != nil {
			return nil, err
		}
		e.Style = Style((n - 1) % styles)
		s.Episodes = append(s.Episodes, e)
	}
	if !o.Oddities {
		return s, nil
	}
	for _, e := range s.Episodes {
		e.addOddities()
	}
	held, err := newEpisode(o, o.Episodes+1, min(o.Frames, heldFrames))
	if err != nil {
		return nil, err
	}
	held.Missing = ColumnFrame
	s.Episodes = append(s.Episodes, held)
	return s, nil
}

// newEpisode makes the n-th episode, without oddities, in the first style.
func newEpisode(o Options, n, frames int) (*Episode, error) {
	code, err := dataset.ParseEpisode(o.Season, fmt.Sprintf("E%d", n))
	if err != nil {
		return nil, fmt.Errorf("generate episode %d: %w", n, err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", o.Seed, code))
	e := &Episode{
		Episode: code,
		// The length and the characters of a real one.
		SpreadsheetID: "1" + base64.RawURLEncoding.EncodeToString(sum[:]),
		options:       o,
		rand:          rand.New(rand.NewPCG(o.Seed, uint64(n))),
		repainted:     map[dataset.Frame]int{},
	}
	e.film(frames)
	return e, nil
}
