package rows

import (
	"fmt"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// Options are the settings for reading a sheet.
type Options struct {
	Episode     dataset.Episode
	BucketNames []string // the names of the only bucket that a base URI may name
	Prefix      string   // of everything in the bucket, without a slash at its end
	ImageSize   string   // the folder of the images when the sheet has no base URI
	Classes     []string // in the spelling of the destination
	MaxBad      Limit    // of the rows that have a frame name or a class
}

// Row is one frame of a sheet.
type Row struct {
	Frame  dataset.Frame
	Class  string // as Options.Classes spells it; "" unclassified or frozen
	Frozen bool   // its class is unclear, so the frame is left unchanged
	Row    int    // the number of the first row with the frame, from 1
	Column string // the column that decides its class; "" without a class
}

// Sheet is a worksheet that has been read.
type Sheet struct {
	Header   Header
	Base     string // prefix of the images in the bucket, ending in "/"
	Rows     []Row  // each frame once, in the order of the sheet
	Problems []Problem
	// Unread counts the rows without a usable frame name. Each of them may belong to any frame that
	// has no row.
	Unread int
}

// HeldError is why an episode must be left unchanged: its sheet cannot be trusted. The text names
// the sheet, what was expected and what was found.
type HeldError struct {
	Title, Worksheet string
	Reason           string
	Problems         []Problem // those of the rows read so far
}

func (e *HeldError) Error() string {
	name := "sheet " + quote(e.Title)
	if e.Worksheet != "" && e.Worksheet != e.Title {
		name += ", worksheet " + quote(e.Worksheet)
	}
	return name + ": " + e.Reason
}

// Read reads a worksheet. The error is a *HeldError. Then the Sheet has the problems and no rows.
func Read(values sheet.Values, opt Options) (Sheet, error) {
	r := reader{opt: opt, seen: make(map[dataset.Frame]int, len(values.Rows))}
	for _, text := range values.Warnings {
		r.warning(Problem{Kind: KindSpreadsheet, Problem: text})
	}
	if err := r.read(values.Rows); err != nil {
		held := &HeldError{Title: values.Title, Worksheet: values.Worksheet, Reason: err.Error(), Problems: r.Problems}
		return Sheet{Header: r.Header, Problems: r.Problems}, held
	}
	return r.Sheet, nil
}

type reader struct {
	Sheet
	opt    Options
	seen   map[dataset.Frame]int // index in Rows and in said
	said   []decision            // of each of Rows
	bases  bases
	used   int // rows with a frame name or a class
	bad    int // used rows with an unusable frame name or an unknown class
	differ [differences]different
}

func (r *reader) read(rows [][]string) error {
	if err := r.header(rows); err != nil {
		return err
	}
	r.Rows = make([]Row, 0, len(rows))
	spareRow, spareBase := 0, "" // the first base URI in a row that is not used
	for i, row := range rows[1:] {
		if r.Header.unused(row) {
			if spareBase == "" {
				spareRow, spareBase = i+2, r.Header.cell(row, colBase)
			}
			continue
		}
		r.used++
		if err := r.bases.take(i+2, r.Header.cell(row, colBase)); err != nil {
			return err
		}
		r.row(i+2, row)
	}
	r.warn()
	if err := r.check(); err != nil {
		return err
	}
	// A base URI in a row without a frame counts too, because otherwise the default folder would be
	// used.
	if r.bases.base == "" {
		if err := r.bases.take(spareRow, spareBase); err != nil {
			return err
		}
	}
	base, err := r.bases.result()
	r.Base = base
	return err
}

func (r *reader) header(rows [][]string) (err error) {
	if len(rows) == 0 {
		return fmt.Errorf("expected a header and a row for each frame, found an empty sheet")
	}
	if r.Header, err = ReadHeader(rows[0]); err != nil {
		return err
	}
	r.bases = bases{opt: r.opt}
	return r.bases.take(1, r.Header.Base)
}

// check returns an error when the sheet as a whole cannot be trusted.
func (r *reader) check() error {
	switch {
	case r.used == 0:
		return fmt.Errorf("expected a row for each frame, found a header and no rows: an empty sheet")
	case r.opt.MaxBad.Exceeded(r.bad, r.used):
		return fmt.Errorf("expected at most %s of the rows with an unusable frame name or an unknown class, found %d of %d (%.1f%%)",
			r.opt.MaxBad, r.bad, r.used, 100*float64(r.bad)/float64(r.used))
	case len(r.Rows) == 0:
		return fmt.Errorf("expected frames of %s, found none in %d rows", r.opt.Episode, r.used)
	}
	return nil
}

// row reads one row that has a frame name or a class; n is its number in the sheet.
func (r *reader) row(n int, row []string) {
	typed := r.Header.typed(row, colFrame)
	frame, differs, kind, err := r.frame(typed)
	if err != nil {
		r.bad++
		r.Unread++
		r.problem(Problem{Row: n, Frame: bare(trim(typed)), Kind: kind, Column: ColumnFrame, Problem: err.Error()})
		return
	}
	r.note(n, frame, differs)
	text, col := r.Header.decide(row)
	class, known := ClassOf(r.opt.Classes, text)
	said := decision{text: text, class: class, known: known}
	if text != "" {
		said.column = columnNames[col]
	}
	if !said.known {
		r.bad++
		r.problem(r.unknown(n, frame, said))
	}
	if first, ok := r.seen[frame]; ok {
		r.again(n, first, said)
		return
	}
	// The name is copied, because a cell shares the memory of its whole row and would keep it
	// alive.
	frame = dataset.Frame(strings.Clone(string(frame)))
	r.seen[frame] = len(r.Rows)
	r.Rows = append(r.Rows, Row{Frame: frame, Class: said.class, Frozen: !said.known, Row: n, Column: said.column})
	r.said = append(r.said, said)
}

// frame reads the name of a frame of this episode. kind is the error's problem kind.
func (r *reader) frame(typed string) (frame dataset.Frame, differs [differences]bool, kind string, err error) {
	frame, differs, err = parseFrame(typed)
	name := trim(typed)
	what, unknown := sheet.Unknown(name)
	switch {
	case name == "":
		return "", differs, KindNoName, fmt.Errorf("no frame name")
	case unknown:
		return "", differs, KindNoValue, fmt.Errorf("malformed frame name: the cell has %s, %s", what, quote(name))
	case err != nil:
		return "", differs, KindMalformed, fmt.Errorf("malformed frame name %s: %w", quote(name), err)
	case frame.Episode() != r.opt.Episode:
		return "", differs, KindOtherEpisode, fmt.Errorf("frame of another episode, %s: expected frames of %s", quote(name), r.opt.Episode)
	}
	return frame, differs, "", nil
}

// again handles a further row of a frame. The first row counts when both agree.
func (r *reader) again(n, first int, said decision) {
	row, before := &r.Rows[first], r.said[first]
	if said.known && before.known && said.class == before.class {
		r.warning(Problem{Row: n, Frame: string(row.Frame), Kind: KindTwice, Column: ColumnFrame,
			Problem: fmt.Sprintf("the frame stands in row %d too, with the same class; counted once", row.Row)})
		return
	}
	row.Frozen, row.Class, row.Column = true, "", ""
	r.problem(Problem{Row: n, Frame: string(row.Frame), Kind: KindTwiceOther, Column: said.column,
		Problem: fmt.Sprintf("the frame stands in row %d too, with different classes: %s there, %s here; it is left as it stands", row.Row, before, said)})
}

func (r *reader) warning(p Problem) {
	p.Warning = true
	r.problem(p)
}

func (r *reader) problem(p Problem) { r.Problems = append(r.Problems, p) }
