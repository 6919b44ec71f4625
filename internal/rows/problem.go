package rows

// Problem is what is wrong with a row. Frame, Problem and Value are bounded, and safe to print.
type Problem struct {
	Row     int // of the sheet, from 1; 0: of the sheet as a whole
	Frame   string
	Problem string
	Warning bool // nothing is left out because of it
	// Kind is the same for all problems of one sort, and Value what they have in common beside it, such as an unknown class.
	Kind, Value string
	Column      string // of the cell to correct; "" without one
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
