package season

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Episode is one episode: the rows of its sheet and the frames that have an image in the source
// folder.
type Episode struct {
	Episode       dataset.Episode
	SpreadsheetID string
	Style         Style
	// Missing is the header of a required column that the sheet lacks, so that the episode is held.
	// "" means none.
	Missing  string
	Rows     []Row
	Images   []dataset.Frame
	Oddities Oddities

	options   Options
	rand      *rand.Rand
	scenes    []int                 // the scene of each frame, by its index
	repainted map[dataset.Frame]int // how often its image was replaced
}

// Row is one row of a sheet, independent of the order of the columns. The zero Row is a blank one.
type Row struct {
	Index        int // ROW_INDEX, from 1
	Frame        string
	Unsupervised string
	Supervised   string
	Jonnys       string
	Metadata     string
}

// Class returns the deciding cell: the first non-blank one of JONNY's, SUPERVISED and UNSUPERVISED
// (DESIGN 4). It is "" for an unclassified frame.
func (r Row) Class() string {
	for _, cell := range []string{r.Jonnys, r.Supervised, r.Unsupervised} {
		if class := strings.TrimSpace(cell); class != "" {
			return class
		}
	}
	return ""
}

// share is the percentage of the frames with a class.
type share struct {
	class   string
	percent int
}

// shares are the classes, the most frequent first. The first one gets the rest from rounding. The
// empty class means frames that are not classified yet.
var shares = []share{{"Common", 50}, {"Junk", 24}, {"Uncommon", 15}, {"Rare", 8}, {"Legendary", 2}, {"", 1}}

// Lengths of a run of similar frames: a quarter of a second to three seconds.
const (
	shortestRun = dataset.FPS / 4
	longestRun  = 3 * dataset.FPS
)

// film fills the episode with consecutive frames, in runs of similar ones that share a class, as
// they do in a film.
func (e *Episode) film(frames int) {
	left, rest := make([]int, len(shares)), frames // how many frames each class still gets
	for i, s := range shares {
		left[i] = frames * s.percent / 100
		rest -= left[i]
	}
	left[0] += rest
	for scene := 0; len(e.Rows) < frames; scene++ {
		class := e.pick(left, frames-len(e.Rows))
		run := min(shortestRun+e.rand.IntN(longestRun-shortestRun), left[class])
		left[class] -= run
		label := e.labeller(shares[class].class, scene)
		for range run {
			f := dataset.FrameAt(e.Episode, len(e.Rows))
			e.Rows = append(e.Rows, label(len(e.Rows)+1, f))
			e.Images = append(e.Images, f)
			e.scenes = append(e.scenes, scene)
		}
	}
}

// pick draws a class at random, weighted by the rest of its quota, so that the shares are exact.
func (e *Episode) pick(left []int, total int) int {
	at := e.rand.IntN(total)
	for i, n := range left {
		if at < n {
			return i
		}
		at -= n
	}
	return 0
}

// labeller fills the columns that give a run its class. Usually the unsupervised model was right.
// The supervised model also labelled one run in five. Jonny labelled one run in twenty, which
// overrides both.
func (e *Episode) labeller(class string, scene int) func(index int, f dataset.Frame) Row {
	row := Row{Unsupervised: class}
	if class != "" {
		switch chance := e.rand.IntN(100); {
		case chance < 5:
			row = Row{Unsupervised: e.otherClass(class), Supervised: e.otherClass(class), Jonnys: class}
		case chance < 25:
			row = Row{Unsupervised: e.otherClass(class), Supervised: class}
		}
	}
	if e.rand.IntN(3) == 0 {
		row.Metadata = fmt.Sprintf("scene %d", scene+1)
	}
	return func(index int, f dataset.Frame) Row {
		row.Index, row.Frame = index, string(f)
		return row
	}
}

// otherClass returns a random class other than this one.
func (e *Episode) otherClass(class string) string {
	for {
		if s := shares[e.rand.IntN(len(shares))]; s.class != "" && s.class != class {
			return s.class
		}
	}
}

// Wanted returns the frames that the datasets must have of this episode, by DESIGN 4: each frame
// with one class and an image, with its class. frozen has the frames that must stay unchanged. Both
// are empty for a held episode.
func (e *Episode) Wanted() (classes map[dataset.Frame]string, frozen map[dataset.Frame]bool) {
	classes, frozen = map[dataset.Frame]string{}, map[dataset.Frame]bool{}
	if e.Missing != "" {
		return classes, frozen
	}
	images := make(map[dataset.Frame]bool, len(e.Images))
	for _, f := range e.Images {
		images[f] = true
	}
	seen := map[dataset.Frame]string{}
	for _, r := range e.Rows {
		f, err := dataset.ParseFrame(r.Frame)
		if err != nil || f.Episode() != e.Episode {
			continue
		}
		class := r.Class()
		// No class counts as known too.
		known := slices.ContainsFunc(shares, func(s share) bool { return s.class == class })
		if before, twice := seen[f]; !known || twice && before != class {
			frozen[f] = true
		}
		seen[f] = class
		if class != "" && images[f] {
			classes[f] = class
		}
	}
	for f := range frozen {
		delete(classes, f)
	}
	return classes, frozen
}
