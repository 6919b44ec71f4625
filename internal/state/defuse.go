package state

import "strings"

// formulaStarts are the characters with which spreadsheets take a cell for a formula (OWASP, CSV injection).
const formulaStarts = "=+-@\t\r\n"

// Defuse makes a cell plain text for a spreadsheet: one that it would run as a formula gets an apostrophe before it, and so
// does one that only its own apostrophes keep from it, so that reading can take one away again.
func Defuse(cell string) string {
	if dangerous(cell) {
		return "'" + cell
	}
	return cell
}

// DefuseAll defuses the cells in place.
func DefuseAll(cells []string) []string {
	for i := range cells {
		cells[i] = Defuse(cells[i])
	}
	return cells
}

// Armed is the reverse of Defuse.
func Armed(cell string) string {
	if strings.HasPrefix(cell, "'") && dangerous(cell) {
		return cell[1:]
	}
	return cell
}

func dangerous(cell string) bool {
	bare := strings.TrimLeft(cell, "'")
	return bare != "" && strings.ContainsRune(formulaStarts, rune(bare[0]))
}
