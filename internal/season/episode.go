package season

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Episode is one episode: the rows of its sheet and the frames that have an image in the source folder.
type Episode struct {
	Episode       dataset.Episode
	SpreadsheetID string
	Style         Style
	// Missing is the header of a required column that the sheet lacks; the episode is then held. Empty: none.
	Missing  string
	Rows     []Row
	Images   []dataset.Frame
	Oddities Oddities

	options   Options
	rand      *rand.Rand
	scenes    []int                 // the scene of each frame, by its index
	repainted map[dataset.Frame]int // how often its image was replaced
}

// Row is one row of a sheet, whatever the order of its columns. The zero Row is a blank one.
type Row struct {
	Index        int // ROW_INDEX, from 1
	Frame        string
	Unsupervised string
	Supervised   string
	Jonnys       string
	Metadata     string
}

// Class is the cell that decides: the first non-blank of JONNY's, SUPERVISED and UNSUPERVISED (DESIGN 4). Empty for an
// unclassified frame.
func (r Row) Class() string {
	for _, cell := range []string{r.Jonnys, r.Supervised, r.Unsupervised} {
		if class := strings.TrimSpace(cell); class != "" {
			return class
		}
	}
	return ""
}

// share is how many frames in a hundred are of a class.
type share struct {
	class   string
	percent int
}

// shares are the classes, the commonest first: it takes what rounding leaves. The empty class stands for frames that
// nobody has classified yet.
var shares = []share{{"Common", 50}, {"Junk", 24}, {"Uncommon", 15}, {"Rare", 8}, {"Legendary", 2}, {"", 1}}

// Lengths of a run of similar frames: a quarter of a second to three seconds.
const (
	shortestRun = dataset.FPS / 4
	longestRun  = 3 * dataset.FPS
)

// film fills the episode with consecutive frames, in runs of similar ones that share a class, as they do in a film.
func (e *Episode) film(frames int) {
	left := quotas(frames)
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

// quotas says how many frames each class gets, in the order of shares.
func quotas(frames int) []int {
	left, rest := make([]int, len(shares)), frames
	for i, s := range shares {
		left[i] = frames * s.percent / 100
		rest -= left[i]
	}
	left[0] += rest
	return left
}

// pick draws a class by what is left of each, so that the shares come out exactly.
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

// labeller says how a run came to its class: mostly the unsupervised model was right; one run in five was labelled by
// the supervised model too, and one in twenty by Jonny, over what either had said.
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

// otherClass is any class but this one.
func (e *Episode) otherClass(class string) string {
	for {
		if s := shares[e.rand.IntN(len(shares))]; s.class != "" && s.class != class {
			return s.class
		}
	}
}

// Wanted is what the datasets must hold of this episode, by DESIGN 4: each frame that has one class and an image, with
// its class. Frozen holds the frames that must stay as they stand. Both are empty for an episode that is held.
func (e *Episode) Wanted() (classes map[dataset.Frame]string, frozen map[dataset.Frame]bool) {
	classes, frozen = map[dataset.Frame]string{}, map[dataset.Frame]bool{}
	if e.Missing != "" {
		return classes, frozen
	}
	images := e.imageSet()
	seen := map[dataset.Frame]string{}
	for _, r := range e.Rows {
		f, err := dataset.ParseFrame(r.Frame)
		if err != nil || f.Episode() != e.Episode {
			continue
		}
		class := r.Class()
		if before, twice := seen[f]; !known(class) || twice && before != class {
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

// known is true for the classes of this season, and for none at all.
func known(class string) bool {
	for _, s := range shares {
		if s.class == class {
			return true
		}
	}
	return false
}

func (e *Episode) imageSet() map[dataset.Frame]bool {
	set := make(map[dataset.Frame]bool, len(e.Images))
	for _, f := range e.Images {
		set[f] = true
	}
	return set
}
