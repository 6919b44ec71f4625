package rows

import (
	"strings"
	"testing"
)

const uri = "https://s3.us-west-2.amazonaws.com/media.angel-nft.com/tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/"

func TestReadHeader(t *testing.T) {
	const u, s, j, f = "UNSUPERVISED CLASSIFICATION", "SUPERVISED CLASSIFICATION", "JONNY's RECLASSIFICATION", "FRAME NUMBER"
	for _, test := range []struct {
		name    string
		row     []string
		base    string
		err     string // "" is none
		frameAt int
	}{
		{"the real one", []string{uri, "ROW_INDEX", f, u, s, j, "METADATA"}, uri, "", 2},
		{"a column for the URI", []string{"S3_BASE_URI", "ROW_INDEX", f, u, s, j, "METADATA"}, "", "", 2},
		{"only what is required", []string{j, s, u, f}, "", "", 3},
		{"any case and spaces", []string{" frame\u00a0 number\t", "Unsupervised\nclassification", "supervised  Classification ", "\ufeffJONNY’S\u2003reclassification"}, "", "", 0},
		{"unknown columns", []string{f, "notes", "", "notes", u, s, "Season/Episode", j, "https://example.com/a/b"}, "", "", 0},
		{"first column unknown", []string{"notes", f, u, s, j}, "", `in cell A1, found "notes"`, 0},
		{"first column unknown, with a slash", []string{"n/a", f, u, s, j}, "", `in cell A1, found "n/a"`, 0},
		{"first column unknown, a URI further on", []string{"notes", f, u, s, j, uri}, "", `in cell A1, found "notes"`, 0},
		{"first column unknown, a column for the URI", []string{"notes", f, u, s, j, "S3_BASE_URI"}, "", `in cell A1, found "notes"`, 0},
		{"first column blank", []string{"\u200b ", f, u, s, j}, "", "the base URI of the images, or the name of a column such as S3_BASE_URI, in cell A1, found a blank cell", 0},
		{"an error for the URI", []string{"#REF!", f, u, s, j}, "", `in cell A1, found "#REF!"`, 0},
		{"still loading", []string{"Loading…", f, u, s, j}, "", `in cell A1, found "Loading…"`, 0},
		{"the URI with a note behind", []string{uri + " (old)", f, u, s, j}, "", "in cell A1, found \"https://", 0},
		{"invisible characters", []string{"\u2060S3_\u00adBASE_URI\u200e", "FRAME\u200b NUMBER\u200f", u, s, "JONNY\ufe0e’s\u00a0RECLASSIFICATION"}, "", "", 1},
		{"invisible characters in the URI", []string{"\ufeff" + uri[:9] + "\u200b" + uri[9:], f, u, s, j}, uri, "", 1},
		{"a URI further on", []string{f, u, s, j, uri}, uri, "", 0},
		{"the URI in two columns", []string{uri, f, u, s, j, uri}, uri, "", 1},
		{"ROW_INDEX and METADATA twice", []string{"ROW_INDEX", "ROW_INDEX", f, u, s, j, "METADATA", "METADATA"}, "", "", 2},
		{"two URIs", []string{uri, f, u, s, j, "s3://b/c/frames/d/"}, "", "expected one base URI in row 1", 0},
		{"no frame column", []string{uri, "FRAME", u, s, j}, "", `expected the column "FRAME NUMBER" in row 1, found "https://`, 0},
		{"no JONNY's", []string{f, u, s}, "", `expected the column "JONNY's RECLASSIFICATION"`, 0},
		{"JONNYS", []string{f, u, s, "JONNYS RECLASSIFICATION"}, "", `expected the column "JONNY's RECLASSIFICATION"`, 0},
		{"no UNSUPERVISED", []string{f, s, j}, "", `expected the column "UNSUPERVISED CLASSIFICATION"`, 0},
		{"no SUPERVISED", []string{f, u, j}, "", `expected the column "SUPERVISED CLASSIFICATION"`, 0},
		{"SUPERVISED twice", []string{f, u, s, j, "supervised classification"}, "", `expected one column "SUPERVISED CLASSIFICATION" in row 1, found it in columns C and E`, 0},
		{"FRAME NUMBER twice", []string{f, f, u, s, j}, "", "found it in columns A and B", 0},
		{"S3_BASE_URI twice", []string{"s3_base_uri", f, u, s, j, "S3_BASE_URI"}, "", `expected one column "S3_BASE_URI"`, 0},
		{"blank", []string{"", " "}, "", "found a blank row", 0},
		{"frames where the header should be", []string{"1", "TT_S01_E01_FRM-00-00-08-12", "Common"}, "", `found "1", "TT_S01_E01_FRM-00-00-08-12", "Common"`, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, err := ReadHeader(test.row)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("err = %v, want one with %q", err, test.err)
				}
				return
			}
			if err != nil || h.Base != test.base || h.at[colFrame] != test.frameAt+1 {
				t.Errorf("base %q, frames in column %d, %v; want %q, %d", h.Base, h.at[colFrame]-1, err, test.base, test.frameAt)
			}
		})
	}
}

func TestApostrophes(t *testing.T) {
	for _, mark := range []string{"'", "’", "‘", "`", "´", "ʼ", "＇"} {
		if got := normal("Jonny" + mark + "s reclassification"); got != normal(ColumnJonny) {
			t.Errorf("%q reads as %q", mark, got)
		}
	}
}

func TestDecide(t *testing.T) {
	h, err := ReadHeader([]string{"FRAME NUMBER", ColumnUnsupervised, ColumnSupervised, ColumnJonny})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		row          []string
		text, column string
	}{
		{[]string{"f", "Junk", "Common", "Rare"}, "Rare", ColumnJonny},
		{[]string{"f", "Junk", "Common", " \u00a0"}, "Common", ColumnSupervised},
		{[]string{"f", "Junk", "", "\u200b"}, "Junk", ColumnUnsupervised},
		{[]string{"f", "Junk"}, "Junk", ColumnUnsupervised},
		{[]string{"f", "", "", " rare "}, "rare", ColumnJonny},
		{[]string{"f"}, "", ""},
		{nil, "", ""},
	} {
		if text, column := Decide(h, test.row); text != test.text || column != test.column {
			t.Errorf("Decide(%q) = %q, %q; want %q, %q", test.row, text, column, test.text, test.column)
		}
	}
	if got := h.Cells([]string{" f ", "a", "", "c"}); got != (Cells{Frame: "f", Unsupervised: "a", Jonny: "c"}) {
		t.Errorf("Cells = %+v", got)
	}
}

// FuzzReadHeader: a header that reads has its required columns within the row, at different places.
func FuzzReadHeader(f *testing.F) {
	f.Add(uri + "\nROW_INDEX\nFRAME NUMBER\nUNSUPERVISED CLASSIFICATION\nSUPERVISED CLASSIFICATION\nJONNY’s RECLASSIFICATION\nMETADATA")
	f.Add("s3_base_uri\nframe  number\nunsupervised classification\nsupervised classification\njonny`s reclassification")
	f.Add("FRAME NUMBER\nFRAME NUMBER")
	f.Fuzz(func(t *testing.T, joined string) {
		row := strings.Split(joined, "\n")
		h, err := ReadHeader(row)
		if err != nil {
			return
		}
		seen := map[int]bool{}
		for _, col := range required {
			at := h.at[col]
			if at < 1 || at > len(row) || seen[at] || normal(row[at-1]) != normal(columnNames[col]) {
				t.Fatalf("column %s at %d of %q", columnNames[col], at, row)
			}
			seen[at] = true
		}
	})
}
