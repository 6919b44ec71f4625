package season

import (
	"slices"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Oddities are the faults in an episode's sheet or folder. Each field is a row of the table in
// DESIGN 4.
type Oddities struct {
	Blank        int             // blank rows
	Malformed    []string        // rows whose frame name is not one
	Foreign      []dataset.Frame // rows with a frame of another episode
	Unknown      []dataset.Frame // frames whose deciding cell names no class
	TwiceSame    []dataset.Frame // frames in two rows that agree
	TwiceOther   []dataset.Frame // frames in two rows that do not
	WithoutImage []dataset.Frame // frames with a class and no source image
	WithoutRow   []dataset.Frame // source images without a row
}

var malformed = []string{"TT_S01_E01_FRM-00-00-08", "frame 12", "TT_S01_E01_FRM-00-00-61-99.jpg"}

// addOddities adds each kind one to three times, to different frames. Together they are below 2% of
// the rows of a long episode.
func (e *Episode) addOddities() {
	each := min(max(len(e.Rows)/300, 1), 3)
	frames := e.plainFrames(4 * each)
	take := func() []dataset.Frame {
		taken := frames[:min(each, len(frames))]
		frames = frames[len(taken):]
		return taken
	}
	odd := &e.Oddities
	odd.Unknown = take()
	for _, f := range odd.Unknown {
		e.row(f).Jonnys = "Epic"
	}
	odd.TwiceSame = take()
	for _, f := range odd.TwiceSame {
		e.insert(*e.row(f))
	}
	odd.TwiceOther = take()
	for _, f := range odd.TwiceOther {
		r := *e.row(f)
		r.Jonnys = e.otherClass(r.Class())
		e.insert(r)
	}
	odd.WithoutImage = take()
	e.Images = slices.DeleteFunc(e.Images, func(f dataset.Frame) bool { return slices.Contains(odd.WithoutImage, f) })
	odd.Blank, odd.Malformed = each, malformed[:each]
	// Rows were pasted from the season's next sheet.
	next := dataset.Episode(e.Episode.Season() + "E99")
	for i := range each {
		foreign := dataset.FrameAt(next, i*dataset.FPS)
		odd.Foreign = append(odd.Foreign, foreign)
		e.insert(Row{})
		e.insert(Row{Frame: malformed[i], Unsupervised: "Rare"})
		e.insert(Row{Frame: string(foreign), Unsupervised: "Common"})
		odd.WithoutRow = append(odd.WithoutRow, e.newImage())
	}
}

// plainFrames draws n frames with one row, a class and an image, or all such frames when there are
// fewer.
func (e *Episode) plainFrames(n int) []dataset.Frame {
	classes, _ := e.Wanted()
	rows := map[string]int{}
	for _, r := range e.Rows {
		rows[r.Frame]++
	}
	var plain []dataset.Frame
	for _, r := range e.Rows {
		if f := dataset.Frame(r.Frame); classes[f] != "" && rows[r.Frame] == 1 {
			plain = append(plain, f)
		}
	}
	e.rand.Shuffle(len(plain), func(i, j int) { plain[i], plain[j] = plain[j], plain[i] })
	return slices.Clone(plain[:min(n, len(plain))])
}

// row returns the first row of the frame. plainFrames has checked that it exists.
func (e *Episode) row(f dataset.Frame) *Row {
	i := slices.IndexFunc(e.Rows, func(r Row) bool { return r.Frame == string(f) })
	return &e.Rows[i]
}

// insert puts a row somewhere among the others.
func (e *Episode) insert(r Row) {
	e.Rows = slices.Insert(e.Rows, e.rand.IntN(len(e.Rows)+1), r)
}

// newImage adds a frame after the episode's last one, with an image and without a row.
func (e *Episode) newImage() dataset.Frame {
	f := dataset.FrameAt(e.Episode, len(e.scenes))
	e.scenes = append(e.scenes, e.scenes[len(e.scenes)-1])
	e.Images = append(e.Images, f)
	return f
}
