package rows

import "strings"

// decision is what a row says about its frame.
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

func (r *reader) decide(row []string) decision {
	text, col := r.Header.decide(row)
	class, known := ClassOf(r.opt.Classes, text)
	return decision{text: text, column: columnNames[col], class: class, known: known}
}

// ClassOf is the class that a text means, in the spelling of the classes; "" for "". It is false when none is meant.
func ClassOf(classes []string, text string) (class string, known bool) {
	if text == "" {
		return "", true
	}
	for _, class := range classes {
		if strings.EqualFold(class, text) {
			return class, true
		}
	}
	return "", false
}
