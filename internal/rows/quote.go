package rows

import "strconv"

// shownRunes is the largest length of a cell in a message.
const shownRunes = 80

// quote quotes a cell for a message. It limits the length and removes control characters, because
// anyone may have written the cell.
func quote(cell string) string {
	n := 0
	for i := range cell {
		if n++; n > shownRunes {
			return strconv.Quote(cell[:i] + "…")
		}
	}
	return strconv.Quote(cell)
}

// bare is quote without the quotes.
func bare(cell string) string {
	s := quote(cell)
	return s[1 : len(s)-1]
}
