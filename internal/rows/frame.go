package rows

import (
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// The accepted differences between a typed or pasted frame name and the frame's own name.
const (
	otherCase = iota
	withExtension
	otherDashes
	withInvisible
	withBlanks
	differences
)

var differenceNames = [differences]string{
	"in another case", "with the extension of an image file", "with other dashes than -", "with invisible characters", "with blanks around",
}

// ParseFrame reads a frame's name as people write it. It accepts any case, any kind of dash, the
// extension of an image file, invisible characters, and blanks around the name.
func ParseFrame(text string) (dataset.Frame, error) {
	frame, _, err := parseFrame(text)
	return frame, err
}

// parseFrame also returns how the text differs from the frame's own name.
func parseFrame(text string) (frame dataset.Frame, differs [differences]bool, err error) {
	if frame, err = dataset.ParseFrame(text); err == nil {
		return frame, differs, nil
	}
	change := func(difference int, changed string) {
		if changed != text {
			text, differs[difference] = changed, true
		}
	}
	change(withInvisible, withoutInvisible(text))
	change(withBlanks, strings.TrimSpace(text))
	switch ext := path.Ext(text); strings.ToLower(ext) {
	case ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".avif":
		change(withExtension, strings.TrimSuffix(text, ext))
		change(withBlanks, strings.TrimSpace(text))
	}
	change(otherDashes, strings.Map(plainDash, text))
	change(otherCase, upper(text))
	frame, err = dataset.ParseFrame(text)
	return frame, differs, err
}

// plainDash turns every kind of dash into "-".
func plainDash(r rune) rune {
	switch {
	case unicode.Is(unicode.Pd, r), r == '−', r == '⁃', r == '˗', r == '➖':
		return '-'
	}
	return r
}

// upper changes ASCII letters only: strings.ToUpper would make an S of "ſ".
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// note counts how the frame name of row n differs from the frame's own.
func (r *reader) note(n int, frame dataset.Frame, differs [differences]bool) {
	for i, does := range differs {
		if !does {
			continue
		}
		if r.differ[i].count++; r.differ[i].count == 1 {
			r.differ[i].row, r.differ[i].frame = n, string(frame)
		}
	}
}

// different counts the frame names that differ in one way, and has the first of them.
type different struct {
	count, row int
	frame      string
}

// warn returns one warning for each way in which frame names differ.
func (r *reader) warn() {
	for i, d := range r.differ {
		switch {
		case d.count == 1:
			r.warning(d.problem(i, fmt.Sprintf("frame name %s in 1 row; it is read all the same", differenceNames[i])))
		case d.count > 1:
			r.warning(d.problem(i, fmt.Sprintf("frame names %s in %d rows, of which this is the first; they are read all the same", differenceNames[i], d.count)))
		}
	}
}

func (d different) problem(difference int, text string) Problem {
	return Problem{Row: d.row, Frame: d.frame, Kind: KindSpelling, Value: differenceNames[difference], Column: ColumnFrame, Problem: text}
}
