package manifest

import (
	"fmt"
	"strconv"
	"strings"
)

// maxID is the largest length of a spreadsheet's ID, which becomes the name of a file. Google's IDs
// have 44 characters.
const maxID = 128

// link is the parsed address of a spreadsheet.
type link struct {
	id  string
	gid string // as typed, "" when there is none
}

// parseLink finds the ID in ".../spreadsheets/d/ID" or ".../google_spreadsheets/d/ID", and the gid.
func parseLink(s string) (link, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return link{}, fmt.Errorf("found none")
	}
	address, fragment, _ := strings.Cut(s, "#")
	address, query, _ := strings.Cut(address, "?")
	id, rest, _ := strings.Cut(afterMark(address), "/")
	// An address that ends in /d/e/2PACX… is a published copy, which has no ID.
	if !validID(id) || id == "e" && strings.HasPrefix(rest, "2PACX-") {
		return link{}, fmt.Errorf("found %.120q", s)
	}
	gid := parameter(fragment, "gid") // a browser uses the fragment and not the query
	if gid == "" {
		gid = parameter(query, "gid")
	}
	return link{id: id, gid: gid}, nil
}

// afterMark returns the part after the "/d/" of a spreadsheet's address. An account may be before
// it: /spreadsheets/u/1/d/.
func afterMark(address string) string {
	_, rest, ok := strings.Cut(address, "spreadsheets/")
	if !ok {
		return ""
	}
	account, after, found := strings.Cut(rest, "/d/")
	number, ok := strings.CutPrefix(account, "u/")
	if found && ok && number != "" && strings.Trim(number, "0123456789") == "" {
		return after
	}
	rest, ok = strings.CutPrefix(rest, "d/")
	if !ok {
		return ""
	}
	return rest
}

func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// parameter returns a value of a query such as "a=1&gid=5".
func parameter(s, name string) string {
	for pair := range strings.SplitSeq(s, "&") {
		if key, value, _ := strings.Cut(pair, "="); key == name {
			return value
		}
	}
	return ""
}

// worksheet parses the gid, a signed number of 32 bits (Sheets API, SheetProperties.sheetId).
func (l link) worksheet() (string, error) {
	if l.gid == "" {
		return "", nil
	}
	n, err := strconv.ParseUint(l.gid, 10, 31)
	if err != nil {
		return "", fmt.Errorf("expected a worksheet's number after gid=, found %.40q", l.gid)
	}
	return strconv.FormatUint(n, 10), nil
}
