package filesheet_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/angel-nft/google-shuffle/internal/filesheet"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
)

func open(t *testing.T) (*filesheet.Sheets, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "made", "when missing")
	s, err := filesheet.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func TestContractCSV(t *testing.T) {
	sheettest.Run(t, sheettest.Contract{Single: true, Unmerged: true, Untyped: true, Open: func(t *testing.T) (sheettest.Reader, func(string, sheettest.Spreadsheet)) {
		s, dir := open(t)
		return s, func(id string, book sheettest.Spreadsheet) {
			f, err := os.Create(filepath.Join(dir, id+".csv"))
			if err != nil {
				t.Fatal(err)
			}
			w := csv.NewWriter(f)
			for _, row := range book.Worksheets[0].Rows {
				cells := make([]string, len(row))
				for i, cell := range row {
					cells[i] = fmt.Sprint(cell)
				}
				if err := w.Write(cells); err != nil {
					t.Fatal(err)
				}
			}
			w.Flush()
			if err := errors.Join(w.Error(), f.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}})
}

func TestContractXLSX(t *testing.T) {
	sheettest.Run(t, sheettest.Contract{Open: func(t *testing.T) (sheettest.Reader, func(string, sheettest.Spreadsheet)) {
		s, dir := open(t)
		return s, func(id string, book sheettest.Spreadsheet) {
			if err := writeWorkbook(filepath.Join(dir, id+".xlsx"), book); err != nil {
				t.Fatal(err)
			}
		}
	}})
}

func writeWorkbook(path string, book sheettest.Spreadsheet) error {
	f := excelize.NewFile()
	for _, w := range book.Worksheets {
		if err := addTab(f, w); err != nil {
			return err
		}
	}
	return errors.Join(f.SaveAs(path), f.Close())
}

// addTab adds a worksheet; the one that a new file has goes, unless it is meant.
func addTab(f *excelize.File, w sheettest.Worksheet) error {
	if w.Object {
		return f.AddChartSheet(w.Title, &excelize.Chart{Type: excelize.Col, Series: []excelize.ChartSeries{{Values: "Sheet1!$A$1:$A$2"}}})
	}
	if _, err := f.NewSheet(w.Title); err != nil {
		return err
	}
	for r, row := range w.Rows {
		for c, cell := range row {
			name, err := excelize.CoordinatesToCellName(c+1, r+1)
			if err != nil {
				return err
			}
			if err := f.SetCellValue(w.Title, name, cell); err != nil {
				return err
			}
		}
	}
	for _, m := range w.Merges {
		first, err := excelize.CoordinatesToCellName(m.StartColumn+1, m.StartRow+1)
		if err != nil {
			return err
		}
		last, err := excelize.CoordinatesToCellName(m.EndColumn, m.EndRow)
		if err != nil {
			return err
		}
		if err := f.MergeCell(w.Title, first, last); err != nil {
			return err
		}
	}
	if w.Title != "Sheet1" && slices.Contains(f.GetSheetList(), "Sheet1") {
		return f.DeleteSheet("Sheet1")
	}
	return nil
}

func TestCSV(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       [][]string
		err        string
	}{
		{"byte order mark, CRLF, ragged, quotes", "\ufeffA,\"B \"\"x\"\"\",C\r\n1\r\n\"2\",\"a\r\nb\",3\r\n", [][]string{{"A", `B "x"`, "C"}, {"1"}, {"2", "a\nb", "3"}}, ""},
		{"empty lines are rows", "\nA\n\n\"x\n\ny\"\n\n\nB\n\n", [][]string{nil, {"A"}, nil, {"x\n\ny"}, nil, nil, {"B"}}, ""},
		{"empty lines with CRLF", "A\r\n\r\nB\r\n", [][]string{{"A"}, nil, {"B"}}, ""},
		{"no line end", "A,B", [][]string{{"A", "B"}}, ""},
		{"trailing blanks", "A,,\n,,\n,,\n", [][]string{{"A"}}, ""},
		{"empty", "", nil, ""},
		{"only a byte order mark", "\ufeff", nil, ""},
		{"a quote that never closes", "A\n\"1\n2\n3\n", nil, "parse CSV"},
		{"a quote inside", "A\nx\"y\n", nil, "parse CSV"},
		{"UTF-16", "\xff\xfeA\x00", nil, "expected CSV in UTF-8, found UTF-16"},
		{"UTF-16, the other way round", "\xfe\xff\x00A", nil, "found UTF-16"},
		{"UTF-16 without a mark", "A\x00,\x00B\x00", nil, "found zero bytes, as in UTF-16"},
		{"Windows-1252", "A,B\n1,caf\xe9\n", nil, "expected CSV in UTF-8, found another encoding in line 2"},
		{"an XLSX file by name only", "PK\x03\x04\x14", nil, "found an XLSX or another ZIP file"},
		{"semicolons", "A;B;C\n1;2,5;3\n", nil, `expected commas between the cells, found ";" as the separator: save it as CSV with commas`},
		{"semicolons and quotes", "\"A\";\"B, or not\"\n", nil, `found ";" as the separator`},
		{"semicolons after an empty line", "\r\nA;B\r\n", nil, `found ";" as the separator`},
		{"tabs", "A\tB\n1\t2\n", nil, "found a tab as the separator"},
		{"bars", "A|B|C\n", nil, `found "|" as the separator`},
		{"sep=;", "sep=;\r\nA;B\r\n", nil, `found ";" as the separator`},
		{"sep= and a tab", "\"SEP=\t\"\nA\tB\n", nil, "found a tab as the separator"},
		{"sep=,", "\ufeffsep=,\r\nA,B\r\n1\r\n", [][]string{{"A", "B"}, {"1"}}, ""},
		{"semicolons inside", "A,B\n1;2;3,4\n\"x;y;z\",5\n", [][]string{{"A", "B"}, {"1;2;3", "4"}, {"x;y;z", "5"}}, ""},
		{"CR line ends", "A,B\r1,\"2\n3\"\r\r4\r", [][]string{{"A", "B"}, {"1", "2\n3"}, nil, {"4"}}, ""},
		{"CR among LF", "A,B\n1,2\r3,\"4\r5\"\r6\n\r7\r\n\r8\r", [][]string{{"A", "B"}, {"1", "2"}, {"3", "4\r5"}, {"6"}, nil, {"7"}, nil, {"8"}}, ""},
		{"CR among CRLF", "A,B\r\n1,2\r3,4\r\n", [][]string{{"A", "B"}, {"1", "2"}, {"3", "4"}}, ""},
		{"the header ends in CR", "A,B\r1,2\n3,4\n", [][]string{{"A", "B"}, {"1", "2"}, {"3", "4"}}, ""},
		{"values beyond the header", "A,B\n\n1,2\n3,4,5,6\n", [][]string{{"A", "B"}, nil, {"1", "2"}, {"3", "4", "5", "6"}}, ""},
		{"blank cells beyond the header", "A,B\n1,2,, ,\n", [][]string{{"A", "B"}, {"1", "2", "", " "}}, ""},
		{"values below a blank name", "A,,\n1,2,3\n", [][]string{{"A"}, {"1", "2", "3"}}, ""},
		{"line separators in cells", "A,B\n1,2\u20283,4\n", [][]string{{"A", "B"}, {"1", "2\u20283", "4"}}, ""},
		{"line separators alone", "A,B\u20281,2\u20283,4", nil, "found U+2028 (line separator) in line 1"},
		{"paragraph separators alone", "A,B\u20291,2\u20293,4\n", nil, "found U+2029 (paragraph separator) in line 1"},
		{"next lines alone", "A,B\u00851,2\u00853,4", nil, "found U+0085 (next line) in line 1"},
		{"rare line ends in a cell", "A,B\n1,\"a\u2028b\u2029c\u0085d\"\n", [][]string{{"A", "B"}, {"1", "a\u2028b\u2029c\u0085d"}}, ""},
		{"tildes", "A~B\n", nil, `found "~" as the separator`},
		{"CR in a cell", "A,B\n1,\"2\r3\"\n", [][]string{{"A", "B"}, {"1", "2\r3"}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, dir := open(t)
			write(t, dir, "ID.csv", test.text)
			v, err := s.Values(t.Context(), "ID", "")
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), "ID.csv") || v.Rows != nil {
					t.Fatalf("%q, %v; want an error with %q and the file's name", v.Rows, err, test.err)
				}
				return
			}
			if err != nil || !slices.EqualFunc(v.Rows, test.want, slices.Equal) {
				t.Errorf("%q, %v; want %q", v.Rows, err, test.want)
			}
		})
	}
}

// TestSeparators: a header whose columns appear with another separator names it, however many
// commas it has.
func TestSeparators(t *testing.T) {
	names := []string{"\"a, b, c\"", "d,e,f,g,h,i", rows.ColumnFrame, "unsupervised  classification", rows.ColumnSupervised, "JONNY’s RECLASSIFICATION"}
	for separator, found := range map[string]string{";": `";"`, "\t": "a tab", "|": `"|"`, "~": `"~"`, "^": `"^"`, ":": `":"`, "\x1f": `"\x1f"`, "¦": `"¦"`} {
		for _, before := range []string{"", "\ufeff", "\r\n\n", "sep=,\n"} {
			_, err := filesheet.ParseCSV([]byte(before + strings.Join(names, separator) + "\r1,2\r"))
			if err == nil || !strings.Contains(err.Error(), "found "+found+" as the separator") {
				t.Errorf("%q after %q: %v", separator, before, err)
			}
		}
	}
	names[0], names[1] = "a;b;c;d;e;f;g", "|~^|~^|~^|~^|~^"
	if got, err := filesheet.ParseCSV([]byte(strings.Join(names, ",") + "\n1\n")); err != nil || len(got) != 2 {
		t.Errorf("commas: %q, %v", got, err)
	}
}

// TestRequiredColumns: the names are those that package rows requires.
func TestRequiredColumns(t *testing.T) {
	names := []string{rows.ColumnFrame, rows.ColumnUnsupervised, rows.ColumnSupervised, rows.ColumnJonny}
	if _, err := rows.ReadHeader(names); err != nil {
		t.Error(err)
	}
	if !filesheet.HasColumns([]byte(strings.Join(names, ",")), ',') {
		t.Errorf("%q are not found", names)
	}
	for i := range names {
		if filesheet.HasColumns([]byte(strings.Join(slices.Delete(slices.Clone(names), i, i+1), ",")), ',') {
			t.Errorf("%q is not missed", names[i])
		}
	}
}

// TestMixedLineEnds: no row is lost when some of them end in CR alone.
func TestMixedLineEnds(t *testing.T) {
	text := "A,B\n"
	for i := range 1000 {
		end := "\n"
		if i%20 == 7 {
			end = "\r"
		}
		text += fmt.Sprint(i, ",x", end)
	}
	got, err := filesheet.ParseCSV([]byte(text))
	if err != nil || len(got) != 1001 || got[1000][0] != "999" {
		t.Errorf("%d rows, %v", len(got), err)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestWhichFile: the file of the gid, else the CSV file, else the workbook.
func TestWhichFile(t *testing.T) {
	s, dir := open(t)
	book := sheettest.Spreadsheet{Worksheets: []sheettest.Worksheet{{Title: "first", Rows: sheettest.Table([]string{"book"})}, {Title: "0", Rows: sheettest.Table([]string{"zero"})}}}
	if err := writeWorkbook(filepath.Join(dir, "book.xlsx"), book); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "ID.csv", "whole\n")
	write(t, dir, "ID.5.csv", "five\n")
	write(t, dir, "only.5.csv", "five\n")
	for _, test := range []struct{ id, gid, want, title string }{
		{"ID", "", "whole", "ID.csv"},
		{"ID", "0", "whole", "ID.csv"},
		{"ID", "5", "five", "ID.5.csv"},
		{"ID", "6", "whole", "ID.csv"},
		{"only", "5", "five", "only.5.csv"},
		{"book", "", "book", "book.xlsx"},
		{"book", "0", "zero", "book.xlsx"},
	} {
		v, err := s.Values(t.Context(), test.id, test.gid)
		if err != nil || v.Rows[0][0] != test.want || v.Title != test.title {
			t.Errorf("%s, gid %q: %q of %q, %v; want %q of %q", test.id, test.gid, v.Rows, v.Title, err, test.want, test.title)
		}
	}
	_, err := s.Values(t.Context(), "only", "")
	if want := filepath.Join(dir, "only.csv") + " or " + filepath.Join(dir, "only.xlsx"); !errors.Is(err, sheet.ErrNotFound) || !strings.Contains(err.Error(), want) {
		t.Errorf("err = %v, want sheet.ErrNotFound with %s", err, want)
	}
	write(t, dir, "broken.xlsx", "this is no workbook")
	if _, err := s.Values(t.Context(), "broken", ""); err == nil || !strings.Contains(err.Error(), "broken.xlsx") {
		t.Errorf("err = %v, want one with the file's name", err)
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", "")
	if s, err := filesheet.Open(filepath.Join(dir, "file")); err == nil {
		t.Errorf("a file opens as a folder: %v", s)
	}
}

// FuzzCSV: the rows that a file has are the ones that are read, each at its number.
func FuzzCSV(f *testing.F) {
	f.Add("A,B\n\n1,\"2\n3\"\n")
	f.Add("\ufeff\r\n\"a\"\r\n\r\n,,\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := filesheet.ParseCSV([]byte(text))
		if err != nil || strings.ContainsAny(text, "\"\r") || strings.Contains(text, "=,") {
			return
		}
		lines := strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")
		for i, row := range rows {
			if got := strings.Join(row, ","); got != strings.TrimRight(lines[i], ",") {
				t.Fatalf("row %d = %q, line %q", i+1, got, lines[i])
			}
		}
	})
}
