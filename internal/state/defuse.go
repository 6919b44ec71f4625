package state

import "strings"

// formulaStarts are the first characters by which a spreadsheet treats a cell as a formula (OWASP,
// CSV injection).
const formulaStarts = "=+-@\t\r\n"

// Defuse makes a cell plain text for a spreadsheet. A cell that would be a formula gets an
// apostrophe in front. So does a cell of apostrophes followed by a formula, so that Armed can
// always remove exactly one.
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
