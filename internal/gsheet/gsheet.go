// Package gsheet reads sheets from Google, by the Sheets API v4.
package gsheet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	sheets "google.golang.org/api/sheets/v4"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// Sheets reads spreadsheets with the rights of one account.
type Sheets struct {
	// Account is the e-mail address of the account, or "" if unknown. It is shown when the account
	// may not read a spreadsheet.
	Account string

	api     *sheets.Service
	limiter *rate.Limiter
}

// New connects with read-only permission. Without options it uses Google's application default
// credentials.
func New(ctx context.Context, opts ...option.ClientOption) (*Sheets, error) {
	readOnly := option.WithScopes(sheets.SpreadsheetsReadonlyScope)
	api, err := sheets.NewService(ctx, append([]option.ClientOption{readOnly}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("open the Sheets API: %w: %w", sheet.ErrCredentials, err)
	}
	return &Sheets{api: api, limiter: rate.NewLimiter(rate.Every(time.Minute/perMinute), burst)}, nil
}

// AccountOf returns the e-mail address in a service account's JSON file, or "" when there is none.
func AccountOf(credentials []byte) string {
	var file struct {
		Email string `json:"client_email"`
	}
	if json.Unmarshal(credentials, &file) != nil {
		return ""
	}
	return file.Email
}

// Values reads a whole worksheet in two requests: one for the list of worksheets and merged cells,
// and one for the cells of the worksheet. It waits until the quota allows them. It retries
// temporary errors for up to a minute and a half. Errors wrap those of package sheet.
//
// A single request, spreadsheets.get with the grid's cells, would transfer the cells of every
// worksheet.
func (s *Sheets) Values(ctx context.Context, spreadsheetID, gid string) (sheet.Values, error) {
	if !plainID(spreadsheetID) {
		return sheet.Values{}, fmt.Errorf("read sheet %.130q: expected an ID of letters, digits, - and _: %w", spreadsheetID, sheet.ErrNotFound)
	}
	v, err := s.values(ctx, spreadsheetID, gid)
	var answer *googleapi.Error
	badRange := errors.As(err, &answer) && answer.Code == http.StatusBadRequest && kindOf(err) == nil
	if badRange || errors.Is(err, errSmaller) {
		// The worksheet was renamed, removed or made smaller between the two requests. Its gid does
		// not change.
		v, err = s.values(ctx, spreadsheetID, gid)
	}
	if err != nil {
		return sheet.Values{}, fmt.Errorf("read sheet %s: %w", spreadsheetID, s.explain(err))
	}
	return v, nil
}

// fields limits the answer. Without it the answer would contain charts, filters and conditional
// formats.
const fields = "spreadsheetId,properties.title,sheets(merges,properties(sheetId,title,index,sheetType,gridProperties(rowCount,columnCount)))"

// errSmaller means that the range of the cells is smaller than the grid of the worksheet.
var errSmaller = fmt.Errorf("%w: expected the whole grid", sheet.ErrAnswer)

func (s *Sheets) values(ctx context.Context, id, gid string) (sheet.Values, error) {
	book, err := attempt(ctx, s.limiter, func(ctx context.Context) (*sheets.Spreadsheet, error) {
		return s.api.Spreadsheets.Get(id).Fields(fields).Context(ctx).Do()
	})
	if err != nil {
		return sheet.Values{}, err
	}
	if err := checkBook(book, id); err != nil {
		return sheet.Values{}, err
	}
	tab, err := worksheet(book.Sheets, gid)
	if err != nil {
		return sheet.Values{}, err
	}
	grid := tab.Properties
	// A quoted title alone means the whole grid at the time of this request, so rows that were
	// added since the first request are read too
	// (https://developers.google.com/workspace/sheets/api/guides/concepts).
	whole := "'" + strings.ReplaceAll(grid.Title, "'", "''") + "'"
	cells, err := attempt(ctx, s.limiter, func(ctx context.Context) (*sheets.ValueRange, error) {
		return s.api.Spreadsheets.Values.Get(id, whole).MajorDimension("ROWS").ValueRenderOption("FORMATTED_VALUE").Context(ctx).Do()
	})
	if err != nil {
		return sheet.Values{}, err
	}
	if err := checkCells(cells, grid); err != nil {
		return sheet.Values{}, err
	}
	v := sheet.Values{
		Title: book.Properties.Title, Worksheet: grid.Title, GID: strconv.FormatInt(grid.SheetId, 10), Rows: texts(cells.Values),
	}
	var merges []sheet.Merge
	for _, m := range tab.Merges {
		merges = append(merges, sheet.Merge{
			StartRow: int(m.StartRowIndex), EndRow: int(m.EndRowIndex), StartColumn: int(m.StartColumnIndex), EndColumn: int(m.EndColumnIndex)})
	}
	sheet.FillMerges(v.Rows, merges)
	return v, nil
}

// checkBook refuses an answer that is not the spreadsheet, or lacks a part that every spreadsheet
// has. A JSON null decodes to nil, so the check also makes sure that no pointer that is used later
// is nil.
func checkBook(book *sheets.Spreadsheet, id string) error {
	if book == nil {
		return fmt.Errorf("%w: expected a spreadsheet, found null", sheet.ErrAnswer)
	}
	if book.SpreadsheetId != "" && book.SpreadsheetId != id || len(book.Sheets) == 0 {
		return fmt.Errorf("%w: expected the worksheets of this spreadsheet, found %d of %.130q", sheet.ErrAnswer, len(book.Sheets), book.SpreadsheetId)
	}
	if book.Properties == nil {
		return fmt.Errorf("%w: expected a spreadsheet with properties, found none", sheet.ErrAnswer)
	}
	for i, tab := range book.Sheets {
		if tab == nil || tab.Properties == nil {
			return fmt.Errorf("%w: expected worksheets with properties, found none for worksheet %d of %d", sheet.ErrAnswer, i+1, len(book.Sheets))
		}
		if slices.Contains(tab.Merges, nil) {
			return fmt.Errorf("%w: expected merged cells in worksheet %.40q, found null", sheet.ErrAnswer, tab.Properties.Title)
		}
	}
	return nil
}

// worksheet finds the worksheet with the gid, or the first one. A tab with a chart or a view of a
// database is not a worksheet.
func worksheet(tabs []*sheets.Sheet, gid string) (*sheets.Sheet, error) {
	var grids []*sheets.Sheet
	for _, tab := range tabs {
		if p := tab.Properties; p.SheetType == "GRID" || p.SheetType == "" {
			grids = append(grids, tab)
		}
	}
	slices.SortStableFunc(grids, func(a, b *sheets.Sheet) int { return int(a.Properties.Index - b.Properties.Index) })
	if gid == "" && len(grids) > 0 {
		return grids[0], nil
	}
	var found []string
	for _, tab := range grids {
		p := tab.Properties
		if strconv.FormatInt(p.SheetId, 10) == gid {
			return tab, nil
		}
		found = append(found, fmt.Sprintf("%.40q (gid %d)", p.Title, p.SheetId))
	}
	const most = 10
	if len(found) > most {
		found = append(found[:most], "…")
	}
	return nil, fmt.Errorf("expected a worksheet with gid %.20q, found %s: %w", gid, cmp.Or(strings.Join(found, ", "), "none"), sheet.ErrWorksheetNotFound)
}

// checkCells refuses an answer unless it has all cells of the worksheet, row by row from A1.
func checkCells(cells *sheets.ValueRange, grid *sheets.SheetProperties) error {
	if cells == nil {
		return fmt.Errorf("%w: expected the cells of %.100q, found null", sheet.ErrAnswer, grid.Title)
	}
	// When the server reports neither ranges nor the grid's size, there is nothing to compare.
	if cells.Range != "" || grid.GridProperties != nil || len(cells.Values) == 0 {
		if err := checkRange(cells.Range, grid); err != nil {
			return err
		}
	}
	if cells.MajorDimension != "" && cells.MajorDimension != "ROWS" {
		return fmt.Errorf("%w: expected rows, found %.40q", sheet.ErrAnswer, cells.MajorDimension)
	}
	// An empty row is [] in the answer.
	if i := slices.IndexFunc(cells.Values, func(row []any) bool { return row == nil }); i >= 0 {
		return fmt.Errorf("%w: expected a list of cells in row %d, found null", sheet.ErrAnswer, i+1)
	}
	return nil
}

// corner returns the last cell of a range that begins at A1. A missing row or column means the
// whole grid.
var corner = regexp.MustCompile(`^A1(?::([A-Z]{0,3})([0-9]{0,9}))?$`)

// checkRange refuses a range that does not cover the grid. For a whole worksheet the API returns a
// range of the grid's size. The grid may have grown since the request. Without gridProperties the
// size is not checked.
//
// The cells follow the last "!". The title is quoted unless it is plain, and a quoted title may
// contain a "!".
func checkRange(found string, grid *sheets.SheetProperties) error {
	of, cells := found, "A1"
	if at := strings.LastIndexByte(found, '!'); at >= 0 {
		of, cells = found[:at], found[at+1:]
	}
	if quoted, ok := strings.CutPrefix(of, "'"); ok {
		of = strings.ReplaceAll(strings.TrimSuffix(quoted, "'"), "''", "'")
	}
	if found == "" || of != grid.Title {
		return fmt.Errorf("%w: expected the cells of %.100q, found the range %.100q", sheet.ErrAnswer, grid.Title, found)
	}
	end := corner.FindStringSubmatch(cells)
	if end == nil || cells == "A1:" {
		return fmt.Errorf("%w: expected the cells from A1 on, found the range %.100q", sheet.ErrAnswer, found)
	}
	if grid.GridProperties == nil || found == of {
		return nil
	}
	columns, rows := int64(0), int64(0)
	for _, letter := range end[1] {
		columns = columns*26 + int64(letter-'A') + 1
	}
	if end[2] != "" {
		rows, _ = strconv.ParseInt(end[2], 10, 64) // nine digits at most
	}
	if cells == "A1" {
		columns, rows = 1, 1
	}
	wanted := grid.GridProperties
	if rows != 0 && rows < wanted.RowCount || columns != 0 && columns < wanted.ColumnCount {
		return fmt.Errorf("%w of %d rows and %d columns, found the range %.100q", errSmaller, wanted.RowCount, wanted.ColumnCount, found)
	}
	return nil
}

// texts converts cells to text, without trailing empty cells and rows.
func texts(values [][]any) [][]string {
	rows, last := make([][]string, len(values)), 0
	for i, cells := range values {
		row := make([]string, len(cells))
		length := 0
		for j, cell := range cells {
			if row[j] = text(cell); row[j] != "" {
				length = j + 1
			}
		}
		if rows[i] = row[:length]; length > 0 {
			last = i + 1
		}
	}
	return rows[:last]
}

// text returns a cell as Sheets shows it, even when the answer has a JSON number or bool.
func text(cell any) string {
	switch cell := cell.(type) {
	case nil:
		return ""
	case string:
		return cell
	case float64:
		return strconv.FormatFloat(cell, 'f', -1, 64)
	case bool:
		return strings.ToUpper(strconv.FormatBool(cell))
	}
	return fmt.Sprint(cell)
}

// plainID reports whether a text can be an ID of Google's. Then it needs no encoding in the path of
// a request.
func plainID(s string) bool {
	const most = 128
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_'
	})
}
