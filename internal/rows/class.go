package rows

import (
	"fmt"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// decision is the class that a row gives its frame.
type decision struct {
	text   string // of the deciding cell
	column string
	class  string // as it is spelt in the destination; "" unclassified or unknown
	known  bool
}

func (d decision) String() string {
	switch {
	case d.text == "":
		return "no class"
	case d.known:
		return quote(d.class)
	}
	return quote(d.text)
}

// unknown is why the class of the deciding cell is not known.
func (r *reader) unknown(row int, frame dataset.Frame, d decision) Problem {
	p := Problem{Row: row, Frame: string(frame), Kind: KindUnknownClass, Value: bare(d.text), Column: d.column}
	if what, is := sheet.Unknown(d.text); is {
		p.Kind, p.Value = KindNoValue, ""
		p.Problem = fmt.Sprintf("unknown class in %s: the cell has %s, %s; the frame is left as it stands", d.column, what, quote(d.text))
		return p
	}
	p.Problem = fmt.Sprintf("unknown class %s in %s: expected one of %s; the frame is left as it stands", quote(d.text), d.column, strings.Join(r.opt.Classes, ", "))
	return p
}

// ClassOf finds the class that a text means, and returns it in the spelling of classes. For "" it
// returns "". It returns false when the text means no class. As for the names of columns, it
// ignores case, invisible characters, and the kinds of space, apostrophe and dash.
func ClassOf(classes []string, text string) (class string, known bool) {
	if text == "" {
		return "", true
	}
	for _, class := range classes {
		if strings.EqualFold(class, text) {
			return class, true
		}
	}
	for _, class := range classes {
		if normal(class) == normal(text) {
			return class, true
		}
	}
	return "", false
}
