package page

import "github.com/angel-nft/google-shuffle/internal/figure"

// Pager is the position of a page in a list, with the addresses of the pages around it; "" where
// there is none.
type Pager struct {
	First, Previous, Next string
	// From and To are the first and the last that the page shows, counted from 1; 0 when that is
	// not known.
	From, To int
	Of       string // how many there are, in words; "" when that is not known
}

// NewPager is the position of a page with shown lines, after before other lines; -1 when that is
// not known. of is the number of all lines.
func NewPager(before, shown int, of string) Pager {
	if before < 0 || shown == 0 {
		return Pager{}
	}
	return Pager{From: before + 1, To: before + shown, Of: of}
}

// HasOtherPages reports whether there are other pages.
func (p Pager) HasOtherPages() bool { return p.Previous != "" || p.Next != "" }

// Position is the place in words, "" when it is not known.
func (p Pager) Position() string {
	if p.To == 0 {
		return ""
	}
	text := figure.Number(p.From) + "–" + figure.Number(p.To)
	if p.Of != "" {
		text += " of " + p.Of
	}
	return text
}
