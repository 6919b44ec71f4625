package season

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Style is how an episode's sheet gives the base URI of its images.
type Style int

// The styles of real sheets (DESIGN 4).
const (
	// HeaderURI has the URI as the header of the first column.
	HeaderURI Style = iota
	// ColumnURI has the URI in the cells of an S3_BASE_URI column, and the columns in another
	// order.
	ColumnURI
	// NoURI has no URI, so the default layout applies. Its headers look typed by hand: in another
	// case, with more spaces and a typographic apostrophe.
	NoURI
	styles = 3
)

// The headers as DESIGN 4 spells them.
const (
	columnURI          = "S3_BASE_URI"
	columnIndex        = "ROW_INDEX"
	ColumnFrame        = "FRAME NUMBER"
	columnUnsupervised = "UNSUPERVISED CLASSIFICATION"
	columnSupervised   = "SUPERVISED CLASSIFICATION"
	columnJonnys       = "JONNY's RECLASSIFICATION"
	columnMetadata     = "METADATA"
)

// orders are the columns of each style, from left to right.
var orders = [styles][]string{
	HeaderURI: {columnURI, columnIndex, ColumnFrame, columnUnsupervised, columnSupervised, columnJonnys, columnMetadata},
	ColumnURI: {ColumnFrame, columnJonnys, columnSupervised, columnUnsupervised, columnMetadata, columnURI, columnIndex},
	NoURI:     {columnIndex, ColumnFrame, columnUnsupervised, columnSupervised, columnJonnys, columnMetadata},
}

var typedByHand = map[string]string{
	ColumnFrame:        " Frame  Number ",
	columnUnsupervised: "Unsupervised Classification",
	columnSupervised:   "SUPERVISED   CLASSIFICATION",
	columnJonnys:       "JONNY’s Reclassification",
}

// ImagePrefix returns the episode's source folder, as a key prefix with a slash at its end.
func (e *Episode) ImagePrefix() string {
	return fmt.Sprintf("%s/%s/default_eng/v1/frames/%s/", e.options.Prefix, e.Episode.Folder(), e.options.ImageSize)
}

// Sheet returns the sheet in the form of the Sheets API: the header first, rows without trailing
// empty cells.
func (e *Episode) Sheet() [][]string {
	columns := slices.DeleteFunc(slices.Clone(orders[e.Style]), func(c string) bool { return c == e.Missing })
	sheet := [][]string{make([]string, len(columns))}
	for i, c := range columns {
		sheet[0][i] = e.header(c)
	}
	for _, r := range e.Rows {
		row := make([]string, len(columns))
		for i, c := range columns {
			row[i] = e.cell(r, c)
		}
		for len(row) > 0 && row[len(row)-1] == "" {
			row = row[:len(row)-1]
		}
		sheet = append(sheet, row)
	}
	return sheet
}

func (e *Episode) header(column string) string {
	switch {
	case e.Style == HeaderURI && column == columnURI:
		return "https://s3.us-west-2.amazonaws.com/" + e.options.Bucket + "/" + e.ImagePrefix()
	case e.Style == NoURI && typedByHand[column] != "":
		return typedByHand[column]
	}
	return column
}

func (e *Episode) cell(r Row, column string) string {
	if r == (Row{}) {
		return ""
	}
	switch column {
	case ColumnFrame:
		return r.Frame
	case columnUnsupervised:
		return r.Unsupervised
	case columnSupervised:
		return r.Supervised
	case columnJonnys:
		return r.Jonnys
	case columnMetadata:
		return r.Metadata
	case columnURI:
		if e.Style != ColumnURI {
			return ""
		}
		return "s3://" + e.options.Bucket + "/" + e.ImagePrefix()
	}
	if r.Index == 0 {
		return ""
	}
	return strconv.Itoa(r.Index)
}

// CSV returns the sheet in Google's export form: every row has the header's width, and a blank row
// is commas.
func (e *Episode) CSV() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	sheet := e.Sheet()
	for _, row := range sheet {
		wide := make([]string, len(sheet[0]))
		copy(wide, row)
		if err := w.Write(wide); err != nil {
			return nil, fmt.Errorf("encode sheet of %s: %w", e.Episode, err)
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// WriteSheet writes the sheet to dir as <spreadsheet ID>.csv, in one step, so that a reader sees
// the old sheet or the new one. The folder must exist.
func (e *Episode) WriteSheet(dir string) error {
	body, err := e.CSV()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, e.SpreadsheetID+".csv")
	if err := os.WriteFile(path+".new", body, 0o600); err != nil {
		return fmt.Errorf("write sheet of %s: %w", e.Episode, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write sheet of %s: %w", e.Episode, err)
	}
	return nil
}
