package page

import (
	"net/url"
	"slices"

	"github.com/angel-nft/google-shuffle/internal/inventory"
)

// Labels is the page of doubtful labels: where the columns of the sheets disagree, and single
// frames whose class differs from their neighbours.
type Labels struct {
	Reading  ReadProgress
	Fields   []Field
	Matrices []Confusion
	Islands  []Island // those of the page
	Count    int      // of all islands
	Pages    Pager
	Query    string
}

func (p *Labels) template() string { return "labels" }

// Title is that of the document.
func (p *Labels) Title() string { return "Labels" }

// Events is the address of the page's events while episodes are being read.
func (p *Labels) Events() string { return eventsPath(p.Reading, "/labels/events", p.Query) }

// Confusion is a matrix of the values of two columns, for the frames with both filled in.
type Confusion struct {
	Down, Across string // the columns
	Classes      []string
	Rows         []ConfusionRow
	Agree, All   int
}

// ConfusionRow is one value of the first column, with the counts of the second column's values.
type ConfusionRow struct {
	Class string
	Cells []ConfusionCell
	All   int
}

// ConfusionCell is a number of frames.
type ConfusionCell struct {
	Count int
	Same  bool   // both columns have the same value
	Path  string // of the frames
	Heat  int    // 0 to 4: the cell's share of its row, where the columns disagree
}

// ColumnLabels are the columns' names on pages, and ColumnParams their names in addresses.
var (
	ColumnLabels = [inventory.Columns]string{"Unsupervised", "Supervised", "Jonny’s"}
	ColumnParams = [inventory.Columns]string{"unsupervised", "supervised", "jonny"}
)

// NewConfusion makes the matrix of two columns. The addresses of its cells get the parameters of
// with too.
func NewConfusion(down, across inventory.Column, counts map[inventory.Pair]int, classes []string, with url.Values) Confusion {
	c := Confusion{Down: ColumnLabels[down], Across: ColumnLabels[across]}
	for _, class := range classes {
		if slices.ContainsFunc(classes, func(other string) bool {
			return counts[inventory.Pair{A: class, B: other}]+counts[inventory.Pair{A: other, B: class}] > 0
		}) {
			c.Classes = append(c.Classes, class)
		}
	}
	for _, a := range c.Classes {
		row := ConfusionRow{Class: a}
		for _, b := range c.Classes {
			n := counts[inventory.Pair{A: a, B: b}]
			q := url.Values{}
			for name, values := range with {
				q[name] = values
			}
			q.Set(ColumnParams[down], a)
			q.Set(ColumnParams[across], b)
			row.Cells = append(row.Cells, ConfusionCell{Count: n, Same: a == b, Path: "/frames?" + q.Encode()})
			row.All += n
			if a == b {
				c.Agree += n
			}
		}
		c.All += row.All
		c.Rows = append(c.Rows, row)
	}
	for _, row := range c.Rows {
		for i, cell := range row.Cells {
			if !cell.Same && cell.Count > 0 {
				row.Cells[i].Heat = min(1+cell.Count*4/row.All, 4)
			}
		}
	}
	return c
}

// Share is the share of the frames with the same value in both columns.
func (c Confusion) Share() float64 { return share(c.Agree, c.All) }

// Island is a single frame whose class differs from all around it.
type Island struct {
	Tiles  []Tile // the frame before, itself, the frame after
	Class  string
	Around string // the class of the frames around it
	Row    int
	Sheet  string // URL
}

// Duplicates is the page of frames that are nearly equal and in different datasets.
type Duplicates struct {
	Reading ReadProgress
	Fields  []Field
	// Training is the dataset that models are trained on.
	Training string
	// Frames is the number of frames outside the training dataset; Leaking is how many of them have
	// a training frame right beside them.
	Leaking, Frames int
	Pairs           []DuplicatePair // those of the page
	Pages           Pager
	// Groups are the first images that are in more than one dataset. Images is the number of such
	// images, and Copies the number of their frames.
	Groups         [][]Tile
	Images, Copies int
	Group          string // the setting in force; "": frame by frame
	Query          string
}

// DuplicatePair is a frame outside the training dataset, and a training frame right beside it.
type DuplicatePair struct{ Tiles []Tile }

func (p *Duplicates) template() string { return "duplicates" }

// Title is that of the document.
func (p *Duplicates) Title() string { return "Near duplicates" }

// Events is the address of the page's events while episodes are being read.
func (p *Duplicates) Events() string { return eventsPath(p.Reading, "/duplicates/events", p.Query) }

// Share is the leakage, as a plan counts it.
func (p *Duplicates) Share() float64 { return share(p.Leaking, p.Frames) }
