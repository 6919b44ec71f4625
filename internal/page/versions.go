package page

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// Versions lists the dataset versions, newest first.
type Versions struct {
	Latest  int64
	All     []VersionRow
	Trends  []Trend
	Pending bool // more of Trends is being read
}

// VersionRow is a version in the list.
type VersionRow struct {
	state.Version
	Tags    []string
	Latest  bool
	Before  int64 // the version before it in the list; 0: there is none
	Added   int   // frames, against that one
	Changes []state.SettingChange
}

// Settings describes the settings that the version was made with.
func (r VersionRow) Settings() string {
	words := []string{r.Split}
	for _, s := range r.List() {
		switch {
		case s.Name == "group" && r.Group != "", s.Name == "guard" && r.Guard > 0, s.Name == "subsample" && r.Subsample > 1, s.Name == "pinned" && s.Value != "":
			words = append(words, s.Name+" "+s.Value)
		case s.Name == "stratify" && r.Stratify:
			words = append(words, "stratified")
		}
	}
	return strings.Join(words, ", ")
}

// ComparePath is the address of what the version changed.
func (r VersionRow) ComparePath() string { return comparePath(r.Before, r.Generation, nil) }

func comparePath(from, to int64, more url.Values) string {
	q := url.Values{"to": {strconv.FormatInt(to, 10)}}
	if from > 0 {
		q.Set("from", strconv.FormatInt(from, 10))
	}
	for name, values := range more {
		q[name] = values
	}
	return "/versions/compare?" + q.Encode()
}

func (p *Versions) template() string { return "versions" }

// Title is that of the document.
func (p *Versions) Title() string { return "Versions" }

// Events is the address of the page's events while the plans of the versions are being read.
func (p *Versions) Events() string {
	return eventsPath(ReadProgress{Pending: p.Pending}, "/versions/events", "")
}

// Options are the versions to compare. The one at index chosen is selected.
func (p *Versions) Options(chosen int) (all []Option) {
	for i, v := range p.All {
		n := strconv.FormatInt(v.Generation, 10)
		all = append(all, Option{Value: n, Text: strings.TrimSpace(n + " " + strings.Join(v.Tags, ", ")), Chosen: i == min(chosen, len(p.All)-1)})
	}
	return all
}

// Fields are the choice of two versions.
func (p *Versions) Fields() []Field {
	return []Field{{Name: "from", Label: "Version", Options: p.Options(1)}, {Name: "to", Label: "against", Options: p.Options(0)}}
}

// Trend is a number over the versions, the oldest first.
type Trend struct {
	Name   string
	Values []float64
	Share  bool // the values are shares, 0 to 1
}

// The size of a trend in drawing units.
const trendWidth, trendHeight = 300, 40

// Path is the line of the trend. The axis begins at 0, unless the changes are too small to be seen
// on it.
func (t Trend) Path() string {
	low, high := slices.Min(t.Values), slices.Max(t.Values)
	if !t.Share && high-low < high/4 { // small changes of large numbers
		low -= (high - low) / 2
	} else {
		low = 0
	}
	var path strings.Builder
	for i, v := range t.Values {
		y := float64(trendHeight) / 2
		if high > low {
			y = trendHeight - 2 - (v-low)/(high-low)*(trendHeight-4)
		}
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], float64(i)*trendWidth/float64(max(len(t.Values)-1, 1)), y)
	}
	return path.String()
}

// text is a value of the trend as text.
func (t Trend) text(v float64) string {
	if t.Share {
		return figure.Percent(v)
	}
	return figure.Number(int(v))
}

// First and Last are the values at both ends, Low and High the bounds.
func (t Trend) First() string { return t.text(t.Values[0]) }

// Last is the newest value.
func (t Trend) Last() string { return t.text(t.Values[len(t.Values)-1]) }

// Low is the least value.
func (t Trend) Low() string { return t.text(slices.Min(t.Values)) }

// High is the greatest value.
func (t Trend) High() string { return t.text(slices.Max(t.Values)) }

// Width and Height are the space of Path.
func (t Trend) Width() int { return trendWidth }

// Height is that of the space of Path.
func (t Trend) Height() int { return trendHeight }

// CountTrends are the trends of what versions record: frames by class, shares of the datasets, held
// episodes.
func CountTrends(all []version.Listed) (trends []Trend) {
	newest := all[len(all)-1]
	for _, class := range newest.Classes {
		t := Trend{Name: class}
		for _, v := range all {
			n := 0
			for _, counts := range v.Counts {
				n += counts[class]
			}
			t.Values = append(t.Values, float64(n))
		}
		trends = append(trends, t)
	}
	for _, name := range newest.Datasets {
		t := Trend{Name: "Share of " + name, Share: true}
		for _, v := range all {
			n := 0
			for _, count := range v.Counts[name] {
				n += count
			}
			t.Values = append(t.Values, share(n, v.Frames))
		}
		trends = append(trends, t)
	}
	held := Trend{Name: "Held episodes"}
	for _, v := range all {
		held.Values = append(held.Values, float64(len(v.Held)))
	}
	return append(trends, held)
}

// Compare is two versions side by side.
type Compare struct {
	From, To state.Version // From has generation 0 when To is the first version
	Pending  bool          // they are being compared
	diff     version.Diff
	// Kind, Was and Is choose the frames that are shown; "" is any.
	Kind, Was, Is string
	Count         int // frames that are shown, on all pages
	Tiles         []Tile
	Pages         Pager
	Query         string
}

// SetDiff sets the result of the comparison.
func (p *Compare) SetDiff(d version.Diff) { p.diff = d }

// Settings are the settings that differ between the versions.
func (p *Compare) Settings() []state.SettingChange { return p.diff.Settings }

// ClassNumbers are the classes whose number changes.
func (p *Compare) ClassNumbers() []state.ClassNumber { return p.diff.ClassNumbers }

// Same is the number of frames that are the same in both.
func (p *Compare) Same() int { return p.diff.Same }

// Matches reports whether a change is among the chosen ones.
func (p *Compare) Matches(c version.Change) bool {
	class := func(places []string) string {
		_, class, _ := strings.Cut(slices.Concat(places, []string{""})[0], "/")
		return class
	}
	return (p.Kind == "" || string(c.Kind) == p.Kind) && (p.Was == "" || class(c.From) == p.Was) && (p.Is == "" || class(c.To) == p.Is)
}

// CompareKind is a kind of change.
type CompareKind struct {
	Kind    string
	Count   int
	Path    string
	Current bool
}

// Kinds are the kinds of changes, with their numbers.
func (p *Compare) Kinds() (all []CompareKind) {
	for _, k := range version.Kinds {
		all = append(all, CompareKind{Kind: string(k), Count: p.diff.Totals[k], Path: p.path(url.Values{"kind": {string(k)}}), Current: p.Kind == string(k)})
	}
	return all
}

func (p *Compare) path(more url.Values) string {
	return comparePath(p.From.Generation, p.To.Generation, more)
}

// Matrix counts the frames that went from one class to another.
func (p *Compare) Matrix() Confusion {
	c := Confusion{}
	counts := map[[2]string]int{}
	for _, r := range p.diff.Relabellings {
		counts[[2]string{r.From, r.To}] = r.Frames
		for _, class := range []string{r.From, r.To} {
			if !slices.Contains(c.Classes, class) {
				c.Classes = append(c.Classes, class)
			}
		}
	}
	place := func(class string) int {
		if i := slices.Index(p.To.Classes, class); i >= 0 {
			return i
		}
		return math.MaxInt
	}
	slices.SortFunc(c.Classes, func(a, b string) int { return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a, b)) })
	for _, a := range c.Classes {
		row := ConfusionRow{Class: a}
		for _, b := range c.Classes {
			n := counts[[2]string{a, b}]
			row.Cells = append(row.Cells, ConfusionCell{Count: n, Same: a == b, Path: p.path(url.Values{"kind": {string(version.Relabelled)}, "was": {a}, "is": {b}})})
			row.All += n
		}
		c.All += row.All
		c.Rows = append(c.Rows, row)
	}
	return c
}

func (p *Compare) template() string { return "compare" }

// Title is that of the document.
func (p *Compare) Title() string {
	if p.From.Generation == 0 {
		return fmt.Sprintf("Version %d", p.To.Generation)
	}
	return fmt.Sprintf("Version %d → %d", p.From.Generation, p.To.Generation)
}

// Events is the address of the page's events while the versions are being compared.
func (p *Compare) Events() string {
	return eventsPath(ReadProgress{Pending: p.Pending}, "/versions/compare/events", p.Query)
}
