package page

import (
	"fmt"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/inventory"
)

// laneHeight is the height of a lane in drawing units, which the page stretches. Its width is the
// number of its columns.
const laneHeight = 100

// Lane is one strip of an episode's time.
type Lane struct {
	Name   string
	Width  int
	Height int
	Bands  []Band
}

// Band is one value of a lane: the path of its area, and how many frames have it.
type Band struct {
	Name  string
	Color int // of the palette: class k0, k1 and so on
	Count int
	Path  string // "" when no frame has it
}

// NewLane draws a lane. Each column is filled from the top by the shares of its values.
func NewLane(name string, l inventory.Lane, names []string, colors []int) Lane {
	lane := Lane{Name: name, Width: max(len(l.Counts), 1), Height: laneHeight}
	paths := make([]strings.Builder, len(names))
	for begin := 0; begin < len(l.Counts); {
		end := begin + 1
		for end < len(l.Counts) && sameShares(l.Counts[begin], l.Counts[end]) {
			end++
		}
		sum, top := 0, 0.0
		for _, n := range l.Counts[begin] {
			sum += n
		}
		for v, n := range l.Counts[begin] {
			if n == 0 {
				continue
			}
			height := float64(n) / float64(sum) * laneHeight
			fmt.Fprintf(&paths[v], "M%d %.4gh%dv%.4gh%dz", begin, top, end-begin, height, begin-end)
			top += height
		}
		begin = end
	}
	for v, name := range names {
		band := Band{Name: name, Color: colors[v], Path: paths[v].String()}
		for _, counts := range l.Counts {
			band.Count += counts[v]
		}
		lane.Bands = append(lane.Bands, band)
	}
	return lane
}

// sameShares reports whether two columns have the same shares.
func sameShares(a, b []int) bool {
	sumA, sumB := 0, 0
	for v := range a {
		sumA, sumB = sumA+a[v], sumB+b[v]
	}
	for v := range a {
		if a[v]*sumB != b[v]*sumA {
			return false
		}
	}
	return (sumA == 0) == (sumB == 0)
}
