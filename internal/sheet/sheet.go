// Package sheet holds the values that the sheet adapters (gsheet, filesheet) and the planner exchange, in the
// Sheets API's own words.
package sheet

import "errors"

// Values is one worksheet, read whole. Row 1 of the sheet is Rows[0]. Rows are ragged: trailing empty cells, and
// trailing empty rows, are left out (Sheets API, "Reading & writing cell values"). Numbers stand as Sheets
// formats them.
type Values struct {
	Title     string // of the spreadsheet
	Worksheet string // title of the worksheet
	GID       string // the worksheet's sheetId, "" where there is none
	Rows      [][]string
}

// What an adapter wraps, so that a message can say what to do.
var (
	// ErrNotFound: no spreadsheet of this ID.
	ErrNotFound = errors.New("spreadsheet not found")
	// ErrWorksheetNotFound: the spreadsheet has no worksheet of this gid.
	ErrWorksheetNotFound = errors.New("worksheet not found")
	// ErrPermission: the account may not read it.
	ErrPermission = errors.New("no permission to read the spreadsheet")
	// ErrUnavailable: throttled or failing still after every retry.
	ErrUnavailable = errors.New("spreadsheet unavailable")
	// ErrNoConnection: the service cannot be reached. It comes with ErrUnavailable.
	ErrNoConnection = errors.New("no connection")
	// ErrOfficeFile: the file in Drive is an Office file, which the Sheets API does not read.
	ErrOfficeFile = errors.New("an Office file in Drive, not a Google spreadsheet")
	// ErrAPIDisabled: the Sheets API is not enabled in the project of the credentials.
	ErrAPIDisabled = errors.New("the Sheets API is not enabled")
	// ErrScope: the credentials lack the scope that reads spreadsheets.
	ErrScope = errors.New("the credentials lack the scope to read spreadsheets")
	// ErrCredentials: Google does not take the credentials, or they are damaged.
	ErrCredentials = errors.New("no usable credentials")
	// ErrAnswer: whatever answers is not the Sheets API.
	ErrAnswer = errors.New("not an answer of the Sheets API")
)
