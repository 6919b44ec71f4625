package rows

import "strconv"

// Problem is a problem of a row. Frame, Problem and Value have a limited length and are safe to
// print.
type Problem struct {
	Row     int // the row's number in the sheet, from 1; 0: the sheet as a whole
	Frame   string
	Problem string
	Warning bool // the row is used anyway
	// Kind and Value group equal problems, such as a kind "unknown class" with the class as Value.
	Kind, Value string
	Column      string // the column of the cell to correct; "" without one
}

// The kinds of problems.
const (
	KindNoName       = "no frame name"
	KindMalformed    = "malformed frame name"
	KindOtherEpisode = "frame of another episode"
	KindNoValue      = "cell without a known value"
	KindUnknownClass = "unknown class" // Value is the class
	KindTwice        = "frame twice, same class"
	KindTwiceOther   = "frame twice, different classes"
	KindSpelling     = "frame name in another spelling" // Value is the difference
	KindSpreadsheet  = "spreadsheet"
)

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
