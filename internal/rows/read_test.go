package rows

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/sheet"
)

func options() Options {
	return Options{
		Episode: "S01E01", BucketNames: bucketNames, Prefix: "tuttle_twins", ImageSize: "thumbnails",
		Classes: []string{"Junk", "Common", "Uncommon", "Rare", "Legendary"}, MaxBad: Limit{millionths: 50000, share: true},
	}
}

var header = []string{uri, "ROW_INDEX", "FRAME NUMBER", "UNSUPERVISED CLASSIFICATION", "SUPERVISED CLASSIFICATION", "JONNY's RECLASSIFICATION", "METADATA"}

const base = "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/"

// name is the n-th frame of the episode.
func name(n int) string { return string(dataset.FrameAt("S01E01", n)) }

// row is the row of a frame with up to three classes, UNSUPERVISED first; it ends where they end.
func row(frame string, classes ...string) []string {
	return append([]string{"", "1", frame}, classes...)
}

// worksheet has the rows, and 100 good ones after them.
func worksheet(rows ...[]string) sheet.Values {
	v := sheet.Values{Title: "Episode 1", Worksheet: "Frames", Rows: append([][]string{header}, rows...)}
	for i := range 100 {
		v.Rows = append(v.Rows, row(name(1000+i), "Common"))
	}
	return v
}

// TestRead goes through the oddities of the design's table that concern the rows.
func TestRead(t *testing.T) {
	for _, test := range []struct {
		name     string
		rows     [][]string
		want     []Row
		problems []Problem
	}{
		{"classes, in their order and spelling", [][]string{
			row(name(0), "Junk"), row(name(1), "Junk", " rare "), row(name(2), "junk", "Rare", "LEGENDARY"), row(name(3), "Junk", "\u00a0", " "), row(name(4)),
		}, []Row{
			{dataset.Frame(name(0)), "Junk", false, 2, ColumnUnsupervised}, {dataset.Frame(name(1)), "Rare", false, 3, ColumnSupervised}, {dataset.Frame(name(2)), "Legendary", false, 4, ColumnJonny},
			{dataset.Frame(name(3)), "Junk", false, 5, ColumnUnsupervised}, {dataset.Frame(name(4)), "", false, 6, ""},
		}, nil},
		{"blank rows", [][]string{nil, {"", " ", "\u00a0"}, row(name(0), "Junk"), {"", "", "", "", "", "", "", "FALSE"}},
			[]Row{{dataset.Frame(name(0)), "Junk", false, 4, ColumnUnsupervised}}, nil},
		{"malformed frame name", [][]string{row("TT_S01_E01_FRM-00-00-08", "Junk")}, nil,
			[]Problem{{2, "TT_S01_E01_FRM-00-00-08", `malformed frame name "TT_S01_E01_FRM-00-00-08": frame name is not of the form TT_S01_E01_FRM-00-00-08-12`, false, KindMalformed, "", ColumnFrame}}},
		{"no frame name", [][]string{row("", "Junk")}, nil, []Problem{{2, "", "no frame name", false, KindNoName, "", ColumnFrame}}},
		{"frame of another episode", [][]string{row("TT_S01_E02_FRM-00-00-08-12", "Junk")}, nil,
			[]Problem{{2, "TT_S01_E02_FRM-00-00-08-12", `frame of another episode, "TT_S01_E02_FRM-00-00-08-12": expected frames of S01E01`, false, KindOtherEpisode, "", ColumnFrame}}},
		{"unknown class in the deciding cell", [][]string{row(name(0), "Junk", "Rare", "Epic")}, []Row{{dataset.Frame(name(0)), "", true, 2, ColumnJonny}},
			[]Problem{{2, name(0), `unknown class "Epic" in JONNY's RECLASSIFICATION: expected one of Junk, Common, Uncommon, Rare, Legendary; the frame is left as it stands`, false, KindUnknownClass, "Epic", ColumnJonny}}},
		{"unknown class in another cell", [][]string{row(name(0), "Epic", "Rare")}, []Row{{dataset.Frame(name(0)), "Rare", false, 2, ColumnSupervised}}, nil},
		{"frame twice, same class", [][]string{row(name(0), "Rare"), row(name(0), "Junk", "rare")}, []Row{{dataset.Frame(name(0)), "Rare", false, 2, ColumnUnsupervised}},
			[]Problem{{3, name(0), "the frame stands in row 2 too, with the same class; counted once", true, KindTwice, "", ColumnFrame}}},
		{"frame twice, unclassified", [][]string{row(name(0)), row(name(0))}, []Row{{dataset.Frame(name(0)), "", false, 2, ""}},
			[]Problem{{3, name(0), "the frame stands in row 2 too, with the same class; counted once", true, KindTwice, "", ColumnFrame}}},
		{"frame twice, different classes", [][]string{row(name(0), "Rare"), row(name(0), "Junk")}, []Row{{dataset.Frame(name(0)), "", true, 2, ""}},
			[]Problem{{3, name(0), `the frame stands in row 2 too, with different classes: "Rare" there, "Junk" here; it is left as it stands`, false, KindTwiceOther, "", ColumnUnsupervised}}},
		{"frame twice, classified and not", [][]string{row(name(0)), row(name(0), "Junk")}, []Row{{dataset.Frame(name(0)), "", true, 2, ""}},
			[]Problem{{3, name(0), `the frame stands in row 2 too, with different classes: no class there, "Junk" here; it is left as it stands`, false, KindTwiceOther, "", ColumnUnsupervised}}},
		{"frame three times", [][]string{row(name(0), "Rare"), row(name(0), "Rare"), row(name(0), "Junk")}, []Row{{dataset.Frame(name(0)), "", true, 2, ""}},
			[]Problem{{3, name(0), "the frame stands in row 2 too, with the same class; counted once", true, KindTwice, "", ColumnFrame},
				{4, name(0), `the frame stands in row 2 too, with different classes: "Rare" there, "Junk" here; it is left as it stands`, false, KindTwiceOther, "", ColumnUnsupervised}}},
		{"control characters and length", [][]string{row("\x1b[31m"+strings.Repeat("é", 100), "Junk")}, nil,
			[]Problem{{2, `\x1b[31m` + strings.Repeat("é", 75) + "…", `malformed frame name "\x1b[31m` + strings.Repeat("é", 75) + `…": frame name is not of the form TT_S01_E01_FRM-00-00-08-12`, false, KindMalformed, "", ColumnFrame}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := Read(worksheet(test.rows...), options())
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Rows[:len(s.Rows)-100]; len(got)+len(test.want) > 0 && !reflect.DeepEqual(got, test.want) {
				t.Errorf("rows = %+v, want %+v", got, test.want)
			}
			if !reflect.DeepEqual(s.Problems, test.problems) {
				t.Errorf("problems = %+v, want %+v", s.Problems, test.problems)
			}
			if s.Base != base {
				t.Errorf("base = %q", s.Base)
			}
		})
	}
}

// TestUnknownClassAgain: a frame whose class is unknown in one of its rows stays frozen, whichever
// comes first.
func TestUnknownClassAgain(t *testing.T) {
	for _, classes := range [][2]string{{"Epic", "Rare"}, {"Rare", "Epic"}, {"Epic", "Epic"}, {"", "Epic"}} {
		s, err := Read(worksheet(row(name(0), classes[0]), row(name(0), classes[1])), options())
		if err != nil || s.Rows[0] != (Row{Frame: dataset.Frame(name(0)), Frozen: true, Row: 2}) {
			t.Errorf("%q: %+v, %v; want it frozen", classes, s.Rows[0], err)
		}
		last := s.Problems[len(s.Problems)-1]
		if last.Warning || !strings.Contains(last.Problem, "different classes") {
			t.Errorf("%q: %+v", classes, last)
		}
	}
}

// held has a header with S3_BASE_URI in place of the URI, and the rows.
func held(first string, rows ...[]string) sheet.Values {
	return sheet.Values{Title: "Episode 1", Worksheet: "Frames", Rows: append([][]string{append([]string{first}, header[1:]...)}, rows...)}
}

// TestHeld goes through the reasons for which a sheet holds its episode.
func TestHeld(t *testing.T) {
	good := row(name(0), "Junk")
	withBase := func(base string, n int) []string { return append([]string{base}, row(name(n), "Junk")[1:]...) }
	var bad [][]string
	for i := range 6 {
		bad = append(bad, row(name(i), "Epic"))
	}
	for _, test := range []struct {
		name   string
		values sheet.Values
		want   string
	}{
		{"empty sheet", sheet.Values{Title: "Episode 1", Worksheet: "Frames"}, `sheet "Episode 1", worksheet "Frames": expected a header and a row for each frame, found an empty sheet`},
		{"header only", held(uri), "found a header and no rows"},
		{"header and blank rows", held(uri, nil, []string{"", " "}), "found a header and no rows"},
		{"required column missing", sheet.Values{Title: "T", Rows: [][]string{header[:5], good}}, `sheet "T": expected the column "JONNY's RECLASSIFICATION" in row 1, found "https://`},
		{"required column duplicated", sheet.Values{Rows: [][]string{append(header[:6:6], "frame number"), good}}, "found it in columns C and G"},
		{"base URI of another bucket in the header", held("s3://other/tuttle_twins/s01e01/", good), `row 1: base URI "s3://other/tuttle_twins/s01e01/": expected the bucket media.angel-nft.com, found another bucket, "other"`},
		{"base URI of another episode in the header", held(strings.Replace(uri, "s01e01", "s01e02", 1), good), "found another episode"},
		{"base URI of another episode in a cell", held(ColumnBase, good, withBase("s3://media.angel-nft.com/tuttle_twins/s01e02/", 1)), "row 3: base URI"},
		{"base URIs that differ", held(ColumnBase, good, withBase(uri, 1), withBase("", 2), withBase("s3://media.angel-nft.com/tuttle_twins/s01e01/big", 3)),
			`expected one base URI in all rows, found "` + base + `" in row 3 and "tuttle_twins/s01e01/big/" in row 5`},
		{"base URI of the header against a cell", sheet.Values{Rows: [][]string{append(header[:7:7], ColumnBase), append(row(name(0), "", "", "", ""), "s3://media.angel-nft.com/tuttle_twins/s01e01/big")}}, `in row 1 and "tuttle_twins/s01e01/big/" in row 2`},
		{"too many bad rows", worksheet(bad...), "expected at most 5% of the rows with an unusable frame name or an unknown class, found 6 of 106 (5.7%)"},
		{"hostile title", sheet.Values{Title: "\x1b]0;" + strings.Repeat("x", 200), Worksheet: "a\nb"}, `sheet "\x1b]0;` + strings.Repeat("x", 76) + `…", worksheet "a\nb": expected`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := Read(test.values, options())
			var h *HeldError
			if !errors.As(err, &h) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("err = %v, want a HeldError with %q", err, test.want)
			}
			if len(s.Rows) != 0 || s.Base != "" || !reflect.DeepEqual(s.Problems, h.Problems) {
				t.Errorf("a held sheet has %d rows, base %q", len(s.Rows), s.Base)
			}
		})
	}
}

// TestHeldProblems: the problems of a sheet that is held for too many are the ones to repair.
func TestHeldProblems(t *testing.T) {
	s, err := Read(held(uri, row("x", "Junk"), row(name(0), "Epic")), options())
	if err == nil || len(s.Problems) != 2 {
		t.Errorf("%+v, %v", s.Problems, err)
	}
}

// TestNothingUsable: however many bad rows are allowed, a sheet without one frame is not a wish for
// none.
func TestNothingUsable(t *testing.T) {
	opt := options()
	opt.MaxBad = Limit{share: true, millionths: 1e6}
	if _, err := Read(held(uri, row("x", "Junk")), opt); err == nil || !strings.Contains(err.Error(), "expected frames of S01E01, found none in 1 rows") {
		t.Errorf("err = %v", err)
	}
}

func TestBases(t *testing.T) {
	withBase := func(base string, n int) []string { return append([]string{base}, row(name(n), "Junk")[1:]...) }
	for _, test := range []struct {
		name   string
		values sheet.Values
		want   string
	}{
		{"no column", sheet.Values{Rows: [][]string{header[2:6], {name(0), "Junk"}}}, base},
		{"a column without URIs", held(ColumnBase, row(name(0), "Junk")), base},
		{"a column in several spellings of one", held(ColumnBase, withBase(uri, 0), withBase("", 1), withBase("media.angel-nft.com/"+base, 2), withBase(uri, 3)), base},
		{"a column, the episode put in", held(ColumnBase, withBase("media.angel-nft.com/tuttle_twins/big/", 0)), "tuttle_twins/s01e01/big/"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if s, err := Read(test.values, options()); err != nil || s.Base != test.want {
				t.Errorf("base = %q, %v; want %q", s.Base, err, test.want)
			}
		})
	}
	opt := options()
	opt.ImageSize = "../../ML"
	if s, err := Read(held(ColumnBase, row(name(0), "Junk")), opt); err == nil {
		t.Errorf("image size %q gives base %q", opt.ImageSize, s.Base)
	}
}

func TestLimit(t *testing.T) {
	for _, test := range []struct {
		limit string
		n, of int
		want  bool
	}{
		{"5%", 5, 100, false}, {"5%", 6, 100, true}, {"5%", 0, 0, false}, {"0%", 0, 10, false}, {"0%", 1, 1 << 30, true}, {"100%", 10, 10, false},
		{"0.7%", 7, 1000, false}, {"0.7%", 8, 1000, true}, {" 2.5 % ", 25, 1000, false}, {"20", 20, 0, false}, {"20", 21, 1000, true}, {"0", 1, 1, true},
	} {
		l, err := ParseLimit(test.limit)
		if err != nil || l.Exceeded(test.n, test.of) != test.want {
			t.Errorf("%s of %d exceeded by %d: %v, %v; want %v", test.limit, test.of, test.n, !test.want, err, test.want)
		}
		var again Limit
		if text, _ := l.MarshalText(); again.UnmarshalText(text) != nil || again != l {
			t.Errorf("%q comes back as %v", test.limit, again)
		}
	}
	for _, s := range []string{"", "%", "-1", "-1%", "101%", "NaN%", "Inf%", "5 percent", "1.5", "99999999999"} {
		if l, err := ParseLimit(s); err == nil {
			t.Errorf("ParseLimit(%q) = %v", s, l)
		}
	}
}

// FuzzRead: whatever the cells hold, each row of the result is a frame of the episode, once, with a
// class or none.
func FuzzRead(f *testing.F) {
	f.Add("TT_S01_E01_FRM-00-00-08-12\tJunk\tRare\t")
	f.Add("TT_S01_E01_FRM-00-00-08-12\t\t\tEpic\nTT_S01_E01_FRM-00-00-08-12\tCommon")
	f.Add("TT_S01_E02_FRM-00-00-08-12\t\u00a0\t\u200b\n\n\t\t\t\nx")
	f.Fuzz(func(t *testing.T, cells string) {
		v := sheet.Values{Rows: [][]string{header[2:6]}}
		for line := range strings.SplitSeq(cells, "\n") {
			v.Rows = append(v.Rows, strings.Split(line, "\t"))
		}
		opt := options()
		opt.MaxBad = Limit{share: true, millionths: 1e6}
		s, err := Read(v, opt)
		if err != nil {
			return
		}
		seen := map[dataset.Frame]bool{}
		for _, r := range s.Rows {
			if _, err := dataset.ParseFrame(string(r.Frame)); err != nil || r.Frame.Episode() != "S01E01" || seen[r.Frame] {
				t.Fatalf("frame %q: %v", r.Frame, err)
			}
			seen[r.Frame] = true
			if _, known := ClassOf(opt.Classes, r.Class); !known || r.Frozen && r.Class != "" || r.Row < 2 || r.Row > len(v.Rows) {
				t.Fatalf("%+v", r)
			}
		}
		for _, p := range s.Problems {
			if len(p.Problem) > 1500 || strings.ContainsAny(p.Problem+p.Frame, "\n\x1b\x00") {
				t.Fatalf("%+v", p)
			}
		}
	})
}

// BenchmarkRead reads the sheet of a whole episode: 20 minutes at 24 frames a second.
func BenchmarkRead(b *testing.B) {
	v := sheet.Values{Title: "Episode 1", Rows: [][]string{header}}
	for i := range 28800 {
		v.Rows = append(v.Rows, []string{"", fmt.Sprint(i), name(i), "Common", "Uncommon", "", `{"metadata": "of the frame"}`})
	}
	opt := options()
	b.Run("28800_rows", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if s, err := Read(v, opt); err != nil || len(s.Rows) != 28800 {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/28800, "ns/row")
	})
}
