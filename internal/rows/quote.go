package rows

import "strconv"

// shownRunes bounds a cell in a message.
const shownRunes = 80

// quote shows a cell, which anybody may have written, in a message: bounded, and without control characters.
func quote(cell string) string { return strconv.Quote(bound(cell)) }

// bare is quote without its quotes.
func bare(cell string) string {
	s := quote(cell)
	return s[1 : len(s)-1]
}

func bound(s string) string {
	n := 0
	for i := range s {
		if n++; n > shownRunes {
			return s[:i] + "…"
		}
	}
	return s
}
