// Package sheet holds the values that the sheet adapters (gsheet, filesheet) and the planner
// exchange, in the Sheets API's own words.
package sheet

import (
	"errors"
	"strings"
)

// Values is the whole content of one worksheet. Row 1 of the sheet is Rows[0]. Rows are ragged:
// trailing empty cells, and trailing empty rows, are left out (Sheets API, "Reading & writing cell
// values"). Numbers are texts as Sheets formats them. Every row of a merged cell has its value.
type Values struct {
	Title     string // of the spreadsheet
	Worksheet string // title of the worksheet
	GID       string // the worksheet's sheetId, "" where there is none
	Rows      [][]string
	// Warnings are about the spreadsheet as a whole. They have a limited length and are safe to
	// print.
	Warnings []string
}

// An adapter writes one of these texts into a cell whose value it cannot know. They look like the
// error values of spreadsheets, and Unknown recognises both.
const (
	NoStoredValue = "#NO STORED VALUE!" // a formula whose value was not saved in the file
	// An index into the texts of an XLSX file that is beyond them.
	NoSharedString = "#NO SHARED STRING!"
)

// Unknown describes a cell whose text is not its value: the cell had an error, or was still being
// computed, when it was read. It returns false for every other text.
//
// The names of the errors depend on the language and the program (#REF!, #BEZUG!, #N/A,
// #GETTING_DATA, Err:502), but they all begin in the same ways.
func Unknown(text string) (what string, unknown bool) {
	switch {
	case text == NoStoredValue:
		return "a formula without a stored value", true
	case text == NoSharedString:
		return "a text that the file does not hold", true
	case strings.HasPrefix(text, "#") && len(text) > 1, strings.HasPrefix(text, "Err:"):
		return "an error value", true
	}
	if word := strings.TrimRight(text, ".…"); word != text && strings.EqualFold(word, "loading") {
		return "a value that was still loading", true
	}
	return "", false
}

// Merge is a merged cell: rows and columns from 0, the ends excluded, as the Sheets API gives them
// (GridRange).
type Merge struct{ StartRow, EndRow, StartColumn, EndColumn int }

// FillMerges writes the value of each merged cell, which is in its first row, into its other rows.
// Rows that are blank stay blank: a merge over a gap makes no frame. The header is left alone: its
// cells are names, not values.
func FillMerges(rows [][]string, merges []Merge) {
	if len(merges) == 0 {
		return
	}
	blank := make([]bool, len(rows))
	for i, row := range rows {
		blank[i] = strings.Join(row, "") == ""
	}
	for _, m := range merges {
		if m.StartRow < 1 || m.StartRow >= len(rows) || m.StartColumn < 0 || m.StartColumn >= len(rows[m.StartRow]) {
			continue
		}
		value := rows[m.StartRow][m.StartColumn]
		for i := m.StartRow + 1; value != "" && i < min(m.EndRow, len(rows)); i++ {
			if blank[i] {
				continue
			}
			for len(rows[i]) <= m.StartColumn {
				rows[i] = append(rows[i], "")
			}
			rows[i][m.StartColumn] = value
		}
	}
}

// The errors that an adapter wraps. For each of them a message can advise what to do.
var (
	// ErrNotFound means that no spreadsheet has this ID.
	ErrNotFound = errors.New("spreadsheet not found")
	// ErrWorksheetNotFound means that the spreadsheet has no worksheet with this gid.
	ErrWorksheetNotFound = errors.New("worksheet not found")
	// ErrPermission means that the account may not read the spreadsheet.
	ErrPermission = errors.New("no permission to read the spreadsheet")
	// ErrUnavailable means that the service still throttles or fails after all retries.
	ErrUnavailable = errors.New("spreadsheet unavailable")
	// ErrNoConnection means that the service cannot be reached. Such an error is also
	// ErrUnavailable.
	ErrNoConnection = errors.New("no connection")
	// ErrOfficeFile means that the file in Drive is an Office file, which the Sheets API does not
	// read.
	ErrOfficeFile = errors.New("an Office file in Drive, not a Google spreadsheet")
	// ErrAPIDisabled means that the Sheets API is not enabled in the project of the credentials.
	ErrAPIDisabled = errors.New("the Sheets API is not enabled")
	// ErrScope means that the credentials do not have the scope for reading spreadsheets.
	ErrScope = errors.New("the credentials lack the scope to read spreadsheets")
	// ErrCredentials means that Google refuses the credentials, or that they are damaged.
	ErrCredentials = errors.New("no usable credentials")
	// ErrAnswer means that the answer does not come from the Sheets API.
	ErrAnswer = errors.New("not an answer of the Sheets API")
)
