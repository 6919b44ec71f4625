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
	e.misname(take())
	e.doubleSame(take())
	e.doubleOther(take())
	e.dropImages(take())
	for i := range each {
		e.insert(Row{})
		e.insert(Row{Frame: malformed[i], Unsupervised: "Rare"})
		e.insertForeign(i)
		e.addImageWithoutRow()
	}
	e.Oddities.Blank = each
	e.Oddities.Malformed = malformed[:each]
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

func (e *Episode) misname(frames []dataset.Frame) {
	for _, f := range frames {
		e.row(f).Jonnys = "Epic"
	}
	e.Oddities.Unknown = frames
}

func (e *Episode) doubleSame(frames []dataset.Frame) {
	for _, f := range frames {
		e.insert(*e.row(f))
	}
	e.Oddities.TwiceSame = frames
}

func (e *Episode) doubleOther(frames []dataset.Frame) {
	for _, f := range frames {
		r := *e.row(f)
		r.Jonnys = e.otherClass(r.Class())
		e.insert(r)
	}
	e.Oddities.TwiceOther = frames
}

func (e *Episode) dropImages(frames []dataset.Frame) {
	e.Images = slices.DeleteFunc(e.Images, func(f dataset.Frame) bool { return slices.Contains(frames, f) })
	e.Oddities.WithoutImage = frames
}

// insertForeign inserts a row that was pasted from the season's next sheet.
func (e *Episode) insertForeign(i int) {
	next := dataset.Episode(e.Episode.Season() + "E99")
	f := dataset.FrameAt(next, i*dataset.FPS)
	e.insert(Row{Frame: string(f), Unsupervised: "Common"})
	e.Oddities.Foreign = append(e.Oddities.Foreign, f)
}

func (e *Episode) addImageWithoutRow() {
	f := e.newImage()
	e.Oddities.WithoutRow = append(e.Oddities.WithoutRow, f)
}

// newImage adds a frame after the episode's last one, with an image and without a row.
func (e *Episode) newImage() dataset.Frame {
	f := dataset.FrameAt(e.Episode, len(e.scenes))
	e.scenes = append(e.scenes, e.scenes[len(e.scenes)-1])
	e.Images = append(e.Images, f)
	return f
}
