package filesheet_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/filesheet"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
)

// parts are the files in an XLSX file.
type parts map[string]string

// minimal is a workbook with one worksheet that holds the XML, and two shared strings.
func minimal(worksheet string) parts {
	const relation = `<Relationship Id="%s" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s"/>`
	return parts{
		"_rels/.rels":     `<Relationships>` + fmt.Sprintf(relation, "rId1", "officeDocument", "xl/workbook.xml") + `</Relationships>`,
		"xl/workbook.xml": `<workbook xmlns:r="r"><sheets><sheet name="Frames" sheetId="9" r:id="rId3"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships>` + fmt.Sprintf(relation, "rId3", "worksheet", "worksheets/sheet1.xml") +
			fmt.Sprintf(relation, "rId4", "sharedStrings", "/xl/sharedStrings.xml") + `</Relationships>`,
		"xl/sharedStrings.xml":     `<sst><si><t>Rare</t></si><si><r><t>Leg</t></r><r><rPr><b/></rPr><t>endary_x000D_</t></r><rPh><t>no</t></rPh></si></sst>`,
		"xl/worksheets/sheet1.xml": `<worksheet><sheetData>` + worksheet + `</sheetData></worksheet>`,
	}
}

func (p parts) bytes(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range p {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestCells goes through the ways in which a file may have a cell's value, or lack it.
func TestCells(t *testing.T) {
	for _, test := range []struct{ name, cell, want string }{
		{"a number", `<c r="A1"><v>28800</v></c>`, "28800"},
		{"a large number", `<c r="A1"><v>1.2E+6</v></c>`, "1200000"},
		{"a text without a type", `<c r="A1"><v>Rare</v></c>`, "Rare"},
		{"a shared string", `<c r="A1" t="s"><v>0</v></c>`, "Rare"},
		{"rich text", `<c r="A1" t="s"><v> 1 </v></c>`, "Legendary\r"},
		{"a text in the cell", `<c r="A1" t="inlineStr"><is><t>Ju</t><r><t>nk</t></r></is></c>`, "Junk"},
		{"the text of a formula", `<c r="A1" t="str"><f>A2</f><v>Common</v></c>`, "Common"},
		{"true", `<c r="A1" t="b"><v>1</v></c>`, "TRUE"},
		{"false", `<c r="A1" t="b"><f>B1</f><v>0</v></c>`, "FALSE"},
		{"an error", `<c r="A1" t="e"><f>B1</f><v>#REF!</v></c>`, "#REF!"},
		{"an error without a name", `<c r="A1" t="e"/>`, sheet.NoStoredValue},
		{"a date", `<c r="A1" t="d"><v>2026-11-23</v></c>`, "2026-11-23"},
		{"a style and no value", `<c r="A1" s="3"/>`, ""},
		{"a type and no value", `<c r="A1" t="s"/>`, ""},
		{"a formula whose text is empty", `<c r="A1" t="str"><f>""</f><v></v></c>`, ""},
		{"a formula that was not computed", `<c r="A1"><f>IF(B1,"Rare","")</f></c>`, sheet.NoStoredValue},
		{"a formula with an empty value", `<c r="A1"><f>B1</f><v></v></c>`, sheet.NoStoredValue},
		{"a formula with an empty value, short", `<c r="A1" t="n"><f>B1</f><v/></c>`, sheet.NoStoredValue},
		{"a formula of a text that was not computed", `<c r="A1" t="str"><f>B1</f></c>`, sheet.NoStoredValue},
		{"a shared formula that was not computed", `<c r="A1"><f t="shared" si="0"/></c>`, sheet.NoStoredValue},
		{"a shared string beyond the last", `<c r="A1" t="s"><v>2</v></c>`, sheet.NoSharedString},
		{"a shared string before the first", `<c r="A1" t="s"><v>-1</v></c>`, sheet.NoSharedString},
		{"a shared string without a number", `<c r="A1" t="s"><v></v></c>`, sheet.NoSharedString},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, dir := open(t)
			write(t, dir, "ID.xlsx", string(minimal(`<row r="1">`+test.cell+`<c r="B1"><v>7</v></c></row>`).bytes(t)))
			v, err := s.Values(t.Context(), "ID", "")
			if err != nil || len(v.Rows) != 1 || !slices.Equal(v.Rows[0], []string{test.want, "7"}) {
				t.Errorf("%q, %v; want %q", v.Rows, err, test.want)
			}
		})
	}
}

// TestComputed: a formula of type array or dataTable makes each cell of its range unknown that has
// no stored value.
func TestComputed(t *testing.T) {
	const no = sheet.NoStoredValue
	for _, test := range []struct {
		name, rows string
		want       [][]string
		err        string
	}{
		{"no values", `<row><c><v>1</v></c><c><f t="array" ref="B1:B3">A</f><v/></c></row><row><c><v>2</v></c></row><row><c><v>3</v></c></row><row><c><v>4</v></c></row>`,
			[][]string{{"1", no}, {"2", no}, {"3", no}, {"4"}}, ""},
		{"below the last row of the file", `<row><c r="A1"><f t="array" ref="$a$3:a1">A</f><v>7</v></c></row>`, [][]string{{"7"}}, ""},
		{"some have values", `<row><c t="str"><f t="array" ref="A1:B4">A</f><v></v></c><c><v>1</v></c></row><row><c t="str"><v></v></c><c s="1"/></row>` +
			`<row><c t="inlineStr"><is><t/></is></c><c><v/></c></row><row><c t="s"/><c t="s"><v>1</v></c><c><v>5</v></c></row>`,
			[][]string{{"", "1"}, {"", no}, {"", no}, {no, "Legendary\r", "5"}}, ""},
		{"a data table", `<row><c r="B1"><f t="dataTable" ref="B1:C2" dt2D="1" dtr="1" r1="A1" r2="A2"/><v>3</v></c></row><row><c r="C2"><v>4</v></c></row>`,
			[][]string{{"", "3", no}, {"", no, "4"}}, ""},
		{"a shared formula", `<row><c><f t="shared" ref="A1:A4" si="0">B1</f><v>1</v></c></row><row><c><f t="shared" si="0"/></c></row><row><c s="1"/></row><row><c><f t="shared" si="0"/><v/></c></row>`,
			[][]string{{"1"}, {no}, nil, {no}}, ""},
		{"no range", `<row><c><f t="array">A</f></c></row>`, [][]string{{no}}, ""},
		{"a bad range", `<row><c><f t="array" ref="A1:#">A</f></c></row>`, nil, `formula of type array: expected a range of cells such as D2:D11, found "A1:#"`},
		{"a range that is too large", `<row><c><f t="array" ref="A1:XFD1048576">A</f></c></row>`, nil, "expected at most 10000000 cells"},
		{"a range too far right", `<row><c><f t="array" ref="XFD1:XFD1000">A</f></c></row>`, nil, "expected at most 10000000 cells"},
		{"too many ranges", `<row>` + strings.Repeat(`<c r="A1"><f t="array" ref="A:A">A</f></c>`, 20) + `</row>`, nil, "expected at most 10000000 cells"},
	} {
		t.Run(test.name, func(t *testing.T) { readsAs(t, minimal(test.rows), test.want, test.err) })
	}
}

// TestMerges: each row of a merged cell has the value of its top left cell, however its range is
// written.
func TestMerges(t *testing.T) {
	const no = sheet.NoStoredValue
	text := func(rows [][]string) (out string) {
		for _, row := range rows {
			out += "<row>"
			for _, cell := range row {
				out += `<c t="inlineStr"><is><t>` + cell + `</t></is></c>`
			}
			out += "</row>"
		}
		return out
	}
	plain := [][]string{{"f", "U", "S"}, {"1", "x", "Rare"}, {"2", "x"}, {"3", "x"}}
	filled := [][]string{{"f", "U", "S"}, {"1", "x", "Rare"}, {"2", "x", "Rare"}, {"3", "x", "Rare"}}
	unknown := [][]string{{"f", "U", "S"}, {"1", "x", no}, {"2", "x", no}, {"3", "x", no}}
	hidden := [][]string{{"f", "U", "S"}, {"1", "", "a"}, {"2", "b", "c"}, {"", "d"}, {"4", "e", "f"}}
	for _, test := range []struct {
		ref        string
		rows, want [][]string
		err        string
	}{
		{"C2:C4", plain, filled, ""},
		{"C4:C2", plain, filled, ""},
		{"$C$2:$C$4", plain, filled, ""},
		{"c2:c4", plain, filled, ""},
		{" C2:C1048576 ", plain, filled, ""},
		{"C1:C4", plain, unknown, ""},
		{"C4:C1", plain, unknown, ""},
		{"C:C", plain, unknown, ""},
		{"$c:$C", plain, unknown, ""},
		{"D1:C3", plain, [][]string{{"f", "U", "S"}, {"1", "x", no}, {"2", "x", no}, {"3", "x"}}, ""},
		{"B:C", plain, [][]string{{"f", "U", "S"}, {"1", no, no}, {"2", no, no}, {"3", no, no}}, ""},
		{"A1:C1", plain, plain, ""},
		{"1:1", plain, plain, ""},
		{"4:3", plain, [][]string{{"f", "U", "S"}, {"1", "x", "Rare"}, {"2"}, {"2"}}, ""},
		{"C2", plain, plain, ""},
		{"D1:D4", plain, plain, ""},
		{"C9:C10", plain, plain, ""},
		{"B2:B5", hidden, [][]string{{"f", "U", "S"}, {"1", "", "a"}, {"2", "", "c"}, nil, {"4", "", "f"}}, ""},
		{"B3:B5", hidden, [][]string{{"f", "U", "S"}, {"1", "", "a"}, {"2", "b", "c"}, {"", "b"}, {"4", "b", "f"}}, ""},
		{"B2:C3", hidden, [][]string{{"f", "U", "S"}, {"1"}, {"2"}, {"", "d"}, {"4", "e", "f"}}, ""},
		{"B3:C5", hidden, [][]string{{"f", "U", "S"}, {"1", "", "a"}, {"2", "b"}, {"", "b"}, {"4", "b"}}, ""},
		{"", plain, nil, `merged cell: expected a range of cells such as D2:D11, found ""`},
		{"C2:", plain, nil, "merged cell"},
		{"C2:C", plain, nil, "merged cell"},
		{"C", plain, nil, "merged cell"},
		{"C2:C4:C5", plain, nil, "merged cell"},
		{"C2:C4 D2:D4", plain, nil, "merged cell"},
		{"Frames!C2:C4", plain, nil, "merged cell"},
		{"C0:C4", plain, nil, "merged cell"},
		{"C2:C1048577", plain, nil, "merged cell"},
		{"XFE2:XFE4", plain, nil, "merged cell"},
		{"#REF!", plain, nil, "merged cell"},
	} {
		t.Run(test.ref, func(t *testing.T) {
			readsAs(t, minimal(text(test.rows)+`</sheetData><mergeCells><mergeCell ref="`+test.ref+`"/></mergeCells><sheetData>`), test.want, test.err)
		})
	}
}

// readsAs holds the rows of a workbook, or the error that reading it gives, against what is
// expected.
func readsAs(t *testing.T, p parts, want [][]string, wantErr string) {
	t.Helper()
	s, dir := open(t)
	write(t, dir, "ID.xlsx", string(p.bytes(t)))
	v, err := s.Values(t.Context(), "ID", "")
	if wantErr != "" {
		if err == nil || v.Rows != nil || !strings.Contains(err.Error(), wantErr) {
			t.Errorf("%.300q, %v; want an error with %q", v.Rows, err, wantErr)
		}
		return
	}
	if err != nil || !slices.EqualFunc(v.Rows, want, slices.Equal) {
		t.Errorf("%.300q, %v; want %q", v.Rows, err, want)
	}
}

// TestPlaces: rows and cells may leave their places out, or skip some.
func TestPlaces(t *testing.T) {
	s, dir := open(t)
	p := minimal(`<row><c><v>1</v></c><c><v>2</v></c></row><row r="3"><c r="B3"><v>3</v></c><c><v>4</v></c></row><row hidden="1"><c r="AA4"><v>5</v></c></row>`)
	p["xl/worksheets/sheet1.xml"] += `<!-- end -->`
	write(t, dir, "ID.xlsx", string(p.bytes(t)))
	v, err := s.Values(t.Context(), "ID", "")
	want := [][]string{{"1", "2"}, nil, {"", "3", "4"}, append(make([]string, 26), "5")}
	if err != nil || !slices.EqualFunc(v.Rows, want, slices.Equal) {
		t.Errorf("%q, %v", v.Rows, err)
	}
}

// TestDamaged: an incomplete file is an error with a clear message, and never a worksheet with
// fewer rows.
func TestDamaged(t *testing.T) {
	rows := strings.Repeat(`<row><c><v>1</v></c></row>`, 100)
	whole := minimal(rows)
	with := func(part, text string) string {
		p := minimal(rows)
		p[part] = text
		return string(p.bytes(t))
	}
	without := func(part string) string {
		p := minimal(rows)
		delete(p, part)
		return string(p.bytes(t))
	}
	broken := bytes.Replace(whole.bytes(t), []byte("PK\x05\x06"), []byte("PK\x05\x07"), 1)
	for _, test := range []struct{ name, file, want string }{
		{"worksheet cut off", with("xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+rows), `damaged XLSX file: worksheet "Frames": row 100`},
		{"worksheet cut off in a tag", with("xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+rows+`<row><c`), "damaged XLSX file"},
		{"broken XML", with("xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+rows+`<row></c></row></sheetData></worksheet>`), "damaged XLSX file"},
		{"a row's number", with("xl/worksheets/sheet1.xml", `<worksheet><sheetData><row r="x"/></sheetData></worksheet>`), `expected the number of a row, found "x"`},
		{"a row too far", with("xl/worksheets/sheet1.xml", `<worksheet><sheetData><row r="1048577"/></sheetData></worksheet>`), "expected at most 1048576 rows"},
		{"a cell's reference", with("xl/worksheets/sheet1.xml", `<worksheet><sheetData><row><c r="7"/></row></sheetData></worksheet>`), `expected the reference of a cell, found "7"`},
		{"a column too far", with("xl/worksheets/sheet1.xml", `<worksheet><sheetData><row><c r="XFE1"/></row></sheetData></worksheet>`), "16384 columns"},
		{"a cell outside", with("xl/worksheets/sheet1.xml", `<worksheet><sheetData><c/></sheetData></worksheet>`), "damaged"},
		{"broken shared strings", with("xl/sharedStrings.xml", `<sst><si><t>Rare`), `part "xl/sharedStrings.xml"`},
		{"no shared strings", without("xl/sharedStrings.xml"), `part "xl/sharedStrings.xml" is missing`},
		{"no worksheet", without("xl/worksheets/sheet1.xml"), "is missing"},
		{"broken workbook", with("xl/workbook.xml", "<workbook>"), "damaged XLSX file"},
		{"another kind of ZIP file", without("_rels/.rels"), "damaged XLSX file"},
		{"a document of Word", with("_rels/.rels", "<Relationships/>"), "expected a workbook"},
		{"no end of the ZIP file", string(broken), "it breaks off"},
		{"empty", "", "found an empty file"},
		{"a web page", "<!DOCTYPE html>", "found a web page"},
		{"old Excel", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1W\x00o\x00r\x00k\x00", "found an old Excel file (.xls): save it as XLSX"},
		{"a password", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", "protected by a password"},
		{"text", "FRAME NUMBER", "found another kind of file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, dir := open(t)
			write(t, dir, "ID.xlsx", test.file)
			v, err := s.Values(t.Context(), "ID", "")
			if err == nil || v.Rows != nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "ID.xlsx") || strings.Contains(err.Error(), "chart") {
				t.Errorf("%q, %v; want an error with %q", v.Rows, err, test.want)
			}
		})
	}
}

// TestOnlyWorksheet: a workbook that was downloaded from Google has no gids. Its only worksheet is
// meant, whatever charts stand beside it; of two worksheets it must be the one with the gid as its
// name.
func TestOnlyWorksheet(t *testing.T) {
	s, dir := open(t)
	frames := sheettest.Worksheet{Title: "Frames", Rows: sheettest.Table([]string{"frames"})}
	for name, tabs := range map[string][]sheettest.Worksheet{
		"one": {frames}, "chart": {{Title: "Chart", Object: true}, frames}, "two": {frames, {Title: "Notes"}},
	} {
		if err := writeWorkbook(filepath.Join(dir, name+".xlsx"), sheettest.Spreadsheet{Worksheets: tabs}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"one", "chart"} {
		if v, err := s.Values(t.Context(), id, "1690818184"); err != nil || v.Worksheet != "Frames" || v.Rows[0][0] != "frames" {
			t.Errorf("%s: %q, %v", id, v.Rows, err)
		}
	}
	if _, err := s.Values(t.Context(), "two", "1690818184"); !errors.Is(err, sheet.ErrWorksheetNotFound) || !strings.Contains(err.Error(), "does not hold the gids") {
		t.Error(err)
	}
}

// TestOtherFiles: files of other kinds are named, and so are newer ones than the file that is read.
func TestOtherFiles(t *testing.T) {
	s, dir := open(t)
	write(t, dir, "A.ods", "")
	write(t, dir, "B.CSV", "")
	write(t, dir, "C.xls", "")
	write(t, dir, "AB.xlsx", "")
	for id, want := range map[string]string{"A": ", found A.ods; save it as XLSX or CSV", "B": "found B.CSV", "C": "found C.xls", "D": "D.xlsx: spreadsheet not found"} {
		if _, err := s.Values(t.Context(), id, ""); !errors.Is(err, sheet.ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", id, err, want)
		}
	}
	now := time.Now()
	age := func(name string, age time.Duration) {
		t.Helper()
		write(t, dir, name, "x\n")
		if err := os.Chtimes(filepath.Join(dir, name), now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	age("E.csv", time.Hour)
	age("E.5.csv", time.Minute)
	age("E.xlsx", time.Minute)
	age("E.ods", 2*time.Hour)
	v, err := s.Values(t.Context(), "E", "")
	if want := []string{"E.xlsx is newer than E.csv, which is read: remove the one that does not count"}; err != nil || !slices.Equal(v.Warnings, want) {
		t.Errorf("%q, %v; want %q", v.Warnings, err, want)
	}
	if v, err := s.Values(t.Context(), "E", "5"); err != nil || len(v.Warnings) != 0 {
		t.Errorf("%q, %v", v.Warnings, err)
	}
}

// FuzzWorksheet: whatever the part of a worksheet holds, reading it ends, with rows or an error.
func FuzzWorksheet(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`)
	f.Add(`<row><c><f>1</f></c></row></sheetData><mergeCells><mergeCell ref="A1:B2"/></mergeCells><sheetData>`)
	f.Add(`<row><c><f t="array" ref="A1:B3">1</f></c></row></sheetData><mergeCells><mergeCell ref="$b:A"/></mergeCells><sheetData>`)
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		s, err := filesheet.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "ID.xlsx", string(minimal(text).bytes(t)))
		if v, err := s.Values(t.Context(), "ID", ""); err != nil && v.Rows != nil {
			t.Fatal("rows and an error")
		}
	})
}
