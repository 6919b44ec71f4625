package rows

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/sheet"
)

const plainName = "TT_S01_E01_FRM-00-00-08-12"

// otherNames are ways to write plainName, each with what is different about it.
var otherNames = []struct {
	text    string
	differs []int
}{
	{plainName, nil},
	{"tt_s01_e01_frm-00-00-08-12", []int{otherCase}},
	{"Tt_S01_e01_Frm-00-00-08-12", []int{otherCase}},
	{plainName + ".jpg", []int{withExtension}},
	{plainName + ".JPG", []int{withExtension}},
	{plainName + ".Jpeg", []int{withExtension}},
	{plainName + ".png", []int{withExtension}},
	{"TT_S01_E01_FRM–00–00–08–12", []int{otherDashes}}, // en
	{"TT_S01_E01_FRM-00—00-08-12", []int{otherDashes}}, // em
	{"TT_S01_E01_FRM‑00‑00‑08‑12", []int{otherDashes}}, // non-breaking hyphen
	{"TT_S01_E01_FRM‐00‐00‐08‐12", []int{otherDashes}}, // hyphen
	{"TT_S01_E01_FRM‒00-00-08-12", []int{otherDashes}}, // figure dash
	{"TT_S01_E01_FRM−00−00−08−12", []int{otherDashes}}, // minus
	{"TT_S01_E01_FRM－00－00－08－12", []int{otherDashes}}, // full width
	{"TT_S01_E01_FRM-00-00-08﹣12", []int{otherDashes}}, // small
	{"TT_S01_E01_\u200bFRM-00-00-08-12", []int{withInvisible}},
	{"\u200c\u200d\u200e\u200f" + plainName, []int{withInvisible}},
	{"TT_S01_E01_FRM-\u00ad00-00-08-12", []int{withInvisible}},
	{"\ufeff" + plainName, []int{withInvisible}},
	{plainName + "\u2060", []int{withInvisible}},
	{"\u202a" + plainName + "\u202c", []int{withInvisible}},
	{" " + plainName + "\u00a0\t", []int{withBlanks}},
	{"\u3000" + plainName + "\n", []int{withBlanks}},
	{"\u200b tt_s01_e01_frm–00-00-08-12 .JPEG\u00a0", []int{withInvisible, withBlanks, withExtension, otherDashes, otherCase}},
}

func TestParseFrame(t *testing.T) {
	for _, test := range otherNames {
		var want [differences]bool
		for _, i := range test.differs {
			want[i] = true
		}
		if frame, differs, err := parseFrame(test.text); err != nil || frame != plainName || differs != want {
			t.Errorf("%q: %q, %v, %v; want %v", test.text, frame, differs, err, want)
		}
		if frame, err := ParseFrame(test.text); err != nil || frame != plainName {
			t.Errorf("ParseFrame(%q) = %q, %v", test.text, frame, err)
		}
	}
	for _, text := range []string{
		"", "x", plainName + ".txt", plainName + ".jpg.jpg", "TT_S01_E01_FRM-00-00-08-1", "TT_S01_E01_FRM-00-00-08-1２", "TT_S01 _E01_FRM-00-00-08-12",
		"TT-S01-E01-FRM-00-00-08-12", "TT_S01_E01_FRM--00-00-08-12", "ТТ_S01_E01_FRM-00-00-08-12", "TT_ſ01_E01_FRM-00-00-08-12", ".jpg", "#REF!", "folder/" + plainName,
	} {
		if frame, err := ParseFrame(text); err == nil {
			t.Errorf("ParseFrame(%q) = %q", text, frame)
		}
	}
}

// TestOtherNames: frames with other names are read, and each kind of difference has one warning
// with its count.
func TestOtherNames(t *testing.T) {
	s, err := Read(worksheet(
		row(strings.ToLower(name(0)), "Rare"), row(name(1)+".jpg", "Rare"), row(name(2)+".JPG", "Rare"),
		row(strings.ReplaceAll(name(3), "-", "–"), "Rare"), row(" "+name(4), "Rare"), row(name(5)+"\u200b", "Rare"), row(name(5), "Rare"),
	), options())
	if err != nil || s.Unread != 0 {
		t.Fatal(err, s.Unread)
	}
	for i := range 6 {
		if r := s.Rows[i]; string(r.Frame) != name(i) || r.Class != "Rare" || r.Frozen {
			t.Errorf("row %d: %+v", i, r)
		}
	}
	want := []Problem{
		{8, name(5), "the frame stands in row 7 too, with the same class; counted once", true, KindTwice, "", ColumnFrame},
		{2, name(0), "frame name in another case in 1 row; it is read all the same", true, KindSpelling, "in another case", ColumnFrame},
		{3, name(1), "frame names with the extension of an image file in 2 rows, of which this is the first; they are read all the same", true, KindSpelling, "with the extension of an image file", ColumnFrame},
		{5, name(3), "frame name with other dashes than - in 1 row; it is read all the same", true, KindSpelling, "with other dashes than -", ColumnFrame},
		{7, name(5), "frame name with invisible characters in 1 row; it is read all the same", true, KindSpelling, "with invisible characters", ColumnFrame},
		{6, name(4), "frame name with blanks around in 1 row; it is read all the same", true, KindSpelling, "with blanks around", ColumnFrame},
	}
	if !reflect.DeepEqual(s.Problems, want) {
		t.Errorf("problems = %+v, want %+v", s.Problems, want)
	}
}

// TestOtherNameAgain: a frame under two names is twice in the sheet.
func TestOtherNameAgain(t *testing.T) {
	s, err := Read(worksheet(row(name(0), "Rare"), row(strings.ToLower(name(0))+".png", "Junk")), options())
	if err != nil || s.Rows[0] != (Row{Frame: dataset.Frame(name(0)), Frozen: true, Row: 2}) {
		t.Errorf("%+v, %v", s.Rows[0], err)
	}
}

// TestUnread counts the rows whose frame cannot be known.
func TestUnread(t *testing.T) {
	s, err := Read(worksheet(row("TT_S01_E01", "Rare"), row("", "Rare"), row(strings.Replace(name(0), "E01", "E02", 1), "Rare"), row("#REF!", "Rare"), row("Loading…"), row("")), options())
	if err != nil || s.Unread != 5 {
		t.Errorf("%d unread rows, %v; want 5", s.Unread, err)
	}
	if p := s.Problems[3]; p.Problem != `malformed frame name: the cell has an error value, "#REF!"` {
		t.Error(p.Problem)
	}
}

// TestUnknownValue: a deciding cell whose value is not known is not a blank one, and not the next
// column's.
func TestUnknownValue(t *testing.T) {
	for _, text := range []string{"#REF!", "#N/A", "#NAME?", "Loading...", "Loading…", "#ERROR!", sheet.NoStoredValue, sheet.NoSharedString, "\u200b#REF! "} {
		s, err := Read(worksheet(row(name(0), "Junk", "Rare", text), row(name(1), "Junk", text, "Rare"), row(name(2), text)), options())
		if err != nil {
			t.Fatal(err)
		}
		frozen := []bool{s.Rows[0].Frozen, s.Rows[1].Frozen, s.Rows[2].Frozen}
		if !slices.Equal(frozen, []bool{true, false, true}) || s.Rows[1].Class != "Rare" || len(s.Problems) != 2 {
			t.Errorf("%q: frozen %v, problems %+v", text, frozen, s.Problems)
		}
		if p := s.Problems[0]; p.Warning || !strings.Contains(p.Problem, "unknown class in JONNY's RECLASSIFICATION: the cell has ") {
			t.Errorf("%q: %+v", text, p)
		}
	}
}

// TestUnknownValuesHold: they count as bad rows.
func TestUnknownValuesHold(t *testing.T) {
	var rows [][]string
	for i := range 6 {
		rows = append(rows, row(name(i), "#REF!"))
	}
	if _, err := Read(worksheet(rows...), options()); err == nil || !strings.Contains(err.Error(), "found 6 of 106") {
		t.Error(err)
	}
}

// TestClassesInOtherWords: what cannot be seen makes no other class.
func TestClassesInOtherWords(t *testing.T) {
	opt := options()
	opt.Classes = append(opt.Classes, "Semi-Rare One")
	for text, want := range map[string]string{
		"Rare\u200b": "Rare", "\u00a0rare\u00a0": "Rare", "Ra\u00adre": "Rare", "\ufeffRARE\u2060": "Rare", "Rare\r": "Rare",
		"semi–rare\u00a0 one": "Semi-Rare One", "Rare.": "", "Rar": "",
	} {
		s, err := Read(worksheet(row(name(0), text)), opt)
		if err != nil || s.Rows[0].Class != want || s.Rows[0].Frozen != (want == "") {
			t.Errorf("%q: %+v, %v; want %q", text, s.Rows[0], err, want)
		}
	}
}

// TestFilledInAdvance: rows with neither a frame nor a class are no rows, whatever else they hold.
func TestFilledInAdvance(t *testing.T) {
	values := held(ColumnBase, append([]string{uri}, row(name(0), "Junk")[1:]...))
	for range 50 {
		values.Rows = append(values.Rows, []string{uri, "7", "", "", " ", "\u200b", "{}", "FALSE"}, []string{"#REF!", "8"})
	}
	s, err := Read(values, options())
	if err != nil || len(s.Rows) != 1 || len(s.Problems) != 0 || s.Base != base || s.Unread != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Read(held(ColumnBase, []string{uri, "1"}), options()); err == nil || !strings.Contains(err.Error(), "found a header and no rows") {
		t.Error(err)
	}
}

// TestBaseOfUnusedRow: the only base URI counts, also in a row without a frame.
func TestBaseOfUnusedRow(t *testing.T) {
	big := "media.angel-nft.com/tuttle_twins/s01e01/big/"
	s, err := Read(held(ColumnBase, []string{big}, row(name(0), "Junk"), []string{"x"}), options())
	if err != nil || s.Base != "tuttle_twins/s01e01/big/" {
		t.Errorf("%q, %v", s.Base, err)
	}
	if _, err := Read(held(ColumnBase, row(name(0), "Junk"), []string{"#REF!"}), options()); err == nil || !strings.Contains(err.Error(), `row 3: base URI "#REF!"`) {
		t.Error(err)
	}
}

// TestLostBase: an error in a used row's base URI holds the episode.
func TestLostBase(t *testing.T) {
	for _, text := range []string{"#REF!", "Loading…", "frames of episode 1", sheet.NoStoredValue, uri + " (old)"} {
		_, err := Read(held(ColumnBase, append([]string{uri}, row(name(0), "Junk")[1:]...), append([]string{text}, row(name(1), "Junk")[1:]...)), options())
		if err == nil || !strings.Contains(err.Error(), "row 3") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	values := worksheet()
	values.Warnings = []string{"found x.xlsx too"}
	s, err := Read(values, options())
	if want := []Problem{{Problem: "found x.xlsx too", Warning: true, Kind: KindSpreadsheet}}; err != nil || !reflect.DeepEqual(s.Problems, want) {
		t.Errorf("%+v, %v", s.Problems, err)
	}
}

// FuzzParseFrame: whatever is read as a frame's name differs from it in no letter and no digit.
func FuzzParseFrame(f *testing.F) {
	for _, test := range otherNames {
		f.Add(test.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		frame, err := ParseFrame(text)
		if err != nil {
			return
		}
		if again, err := dataset.ParseFrame(string(frame)); err != nil || again != frame {
			t.Fatalf("%q is read as %q", text, frame)
		}
		digits := func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}
		if strings.Map(digits, text) != strings.Map(digits, string(frame)) {
			t.Fatalf("%q is read as %q", text, frame)
		}
	})
}
