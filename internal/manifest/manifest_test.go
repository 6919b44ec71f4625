package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/manifest"
)

const key = "tuttle_twins/manifests/S01-episodes.json"

// parseOne reads a manifest of one episode with those links.
func parseOne(t *testing.T, url, share string) manifest.Entry {
	t.Helper()
	body := fmt.Sprintf(`[{"season_code":"S01","episode_code":"E01","google_spreadsheet_url":%q,"google_spreadsheet_share_link":%q}]`, url, share)
	entries, err := manifest.Parse(key, []byte(body))
	if err != nil || len(entries) != 1 {
		t.Fatalf("Parse = %v, %v", entries, err)
	}
	return entries[0]
}

func TestLinks(t *testing.T) {
	const id = "1AbC-dEf_0"
	for _, test := range []struct{ name, url, share, id, gid string }{
		{"url", "https://docs.google.com/spreadsheets/d/1AbC-dEf_0/edit#gid=12", "", id, "12"},
		{"url without an end", "https://docs.google.com/spreadsheets/d/1AbC-dEf_0", "", id, ""},
		{"google_spreadsheets", "https://drive.google.com/google_spreadsheets/d/1AbC-dEf_0/edit", "", id, ""},
		{"gid in the query", "https://docs.google.com/spreadsheets/d/1AbC-dEf_0/edit?gid=7", "", id, "7"},
		{"gid in both", "https://docs.google.com/spreadsheets/d/1AbC-dEf_0/edit?usp=sharing&gid=5#gid=5", "", id, "5"},
		{"the fragment is what a browser shows", "https://docs.google.com/spreadsheets/d/1AbC-dEf_0/edit?gid=5#gid=6", "", id, "6"},
		{"a range after the gid", "https://docs.google.com/spreadsheets/d/1AbC-dEf_0/edit#gid=6&range=A1", "", id, "6"},
		{"gid 0", "https://docs.google.com/spreadsheets/d/1AbC-dEf_0/edit#gid=0", "", id, "0"},
		{"an empty gid", "https://docs.google.com/spreadsheets/d/1AbC-dEf_0/edit#gid=", "", id, ""},
		{"query right after the ID", "https://docs.google.com/spreadsheets/d/1AbC-dEf_0?gid=3", "", id, "3"},
		{"a second account", "https://docs.google.com/spreadsheets/u/1/d/1AbC-dEf_0/edit", "", id, ""},
		{"spaces around", "  https://docs.google.com/spreadsheets/d/1AbC-dEf_0/edit \n", "", id, ""},
		{"share link", "", "https://docs.google.com/spreadsheets/d/1AbC-dEf_0/edit?usp=sharing", id, ""},
		{"share link when the url has no ID", "https://docs.google.com/document/x", "https://docs.google.com/google_spreadsheets/d/1AbC-dEf_0/edit?gid=9", id, "9"},
		{"url before share link", "https://docs.google.com/spreadsheets/d/1AbC-dEf_0", "https://docs.google.com/spreadsheets/d/other#gid=1", id, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := parseOne(t, test.url, test.share)
			if e.Err != nil || e.SpreadsheetID != test.id || e.GID != test.gid {
				t.Errorf("ID %q, gid %q, %v; want %q, %q", e.SpreadsheetID, e.GID, e.Err, test.id, test.gid)
			}
		})
	}
}

func TestUnusableLinks(t *testing.T) {
	for _, url := range []string{
		"", "https://docs.google.com/spreadsheets/", "https://docs.google.com/spreadsheets/d/", "https://docs.google.com/spreadsheets/d/../x",
		"https://docs.google.com/spreadsheets/d/a%2Fb/edit", "https://docs.google.com/spreadsheets/d/a b", "https://docs.google.com/spreadsheets/d/a.csv",
		"https://docs.google.com/spreadsheets/d/e/2PACX-1vQ/pubhtml", "https://docs.google.com/document/d/1AbC", "javascript:alert(1)",
		"https://docs.google.com/spreadsheets/x/d/1AbC", "https://docs.google.com/spreadsheets/d/" + strings.Repeat("a", 129),
		"https://docs.google.com/spreadsheets/d/ok#gid=abc", "https://docs.google.com/spreadsheets/d/ok#gid=-1", "https://docs.google.com/spreadsheets/d/ok#gid=4294967296",
	} {
		if e := parseOne(t, url, ""); e.Err == nil || !strings.Contains(e.Err.Error(), key) {
			t.Errorf("%q: ID %q, gid %q, err %v; want an error that names the manifest", url, e.SpreadsheetID, e.GID, e.Err)
		}
	}
}

func TestParse(t *testing.T) {
	body := "\ufeff" + `[
		{"season_code":"s01","episode_code":"e1","google_spreadsheet_title":"S01E01 frames","google_spreadsheet_url":"https://docs.google.com/spreadsheets/d/one/edit#gid=00","extra":{"a":1}},
		{"season_code":"S02","episode_code":"E10","google_spreadsheet_url":"https://docs.google.com/nothing"}]`
	entries, err := manifest.Parse(key, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := manifest.Entry{
		Episode: "S01E01", Title: "S01E01 frames", SpreadsheetID: "one", GID: "0",
		URL: "https://docs.google.com/spreadsheets/d/one/edit#gid=0", Manifest: key, Line: 2,
	}
	if entries[0] != want {
		t.Errorf("entry 1 = %+v, want %+v", entries[0], want)
	}
	if e := entries[1]; e.Episode != "S02E10" || e.Err == nil || e.RowURL(3) != "" {
		t.Errorf("entry 2 = %+v, want S02E10 with an error", e)
	}
}

func TestParseFails(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"empty", "", "expected a JSON list of episodes: line 1"},
		{"not JSON", "<html>", "expected a JSON list of episodes: line 1"},
		{"an object", `{"season_code":"S01"}`, "expected a JSON list of episodes: found a JSON object"},
		{"null", "null", "found none in it"},
		{"no entries", "[]", "found none in it"},
		{"more behind", "[]\n[]", "line 2"},
		{"cut off", "[\n" + `{"season_code":"S01","episode_code":"E01"}`, "line 2"},
		{"a comma too many", "[\n" + `{"season_code":"S01","episode_code":"E01"},` + "\n]", "line 3"},
		{"UTF-16", "\xff\xfe[\x00]\x00", "found UTF-16"},
		{"a null entry", "[null]", `entry 1, line 1: expected an episode in braces, found "null"`},
		{"a list as entry", "[\n[]]", `entry 1, line 2: expected an episode in braces, found "[]"`},
		{"no codes", "[{}]", `entry 1, line 1: season_code: season code "": expected the form S01`},
		{"no episode", `[{"season_code":"S01"}]`, `entry 1, line 1: episode_code: episode code "": expected the form E01`},
		{"a season too long", `[{"season_code":"S001","episode_code":"E01"}]`, `season_code: season code "S001"`},
		{"a path as code", `[{"season_code":"S01","episode_code":"E/1"}]`, `episode_code: episode code "E/1"`},
		{"a number as code", "\ufeff[\n\n" + `{"season_code":1,"episode_code":"E01"}]`, "entry 1, line 3: season_code: expected a text in quotes, found a JSON number"},
		{"a list as link", `[{"season_code":"S01","episode_code":"E01","google_spreadsheet_url":[]}]`, "google_spreadsheet_url: expected a text in quotes, found a JSON array"},
		{"one bad among good", "[" + `{"season_code":"S01","episode_code":"E01"},` + "\n\n" + `{"season_code":"S01","episode_code":"pilot"}]`, `entry 2, line 3: episode_code: episode code "pilot": expected the form E01`},
	} {
		if entries, err := manifest.Parse(key, []byte(test.body)); err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, %v; want an error with the manifest and %q", test.name, entries, err, test.want)
		}
	}
}

// TestErrNamesTheEntry: the reason for holding an episode names manifest, entry, line and field.
func TestErrNamesTheEntry(t *testing.T) {
	entries, err := manifest.Parse(key, []byte(`[
		{"season_code":"S01","episode_code":"E01","google_spreadsheet_url":"https://docs.google.com/spreadsheets/d/x#gid=y"},
		{"season_code":"S01","episode_code":"E02",
		 "google_spreadsheet_share_link":"https://docs.google.com/spreadsheets/d/x#gid=y"},
		{"season_code":"S01","episode_code":"E03","google_spreadsheet_url":"here"}]`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"manifest " + key + `: S01E01: entry 1, line 2: google_spreadsheet_url: expected a worksheet's number after gid=, found "y"`,
		"manifest " + key + `: S01E02: entry 2, line 3: google_spreadsheet_share_link: expected a worksheet's number after gid=, found "y"`,
		"manifest " + key + `: S01E03: entry 3, line 5: expected .../spreadsheets/d/ID in google_spreadsheet_url, found "here", or in google_spreadsheet_share_link, found none`,
	} {
		if got := fmt.Sprint(entries[i].Err); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

func TestIsManifest(t *testing.T) {
	for name, want := range map[string]bool{
		"S01-episodes.json": true, "s1.JSON": true, "S01-episodes (1).json": true, "._S01-episodes.json": false, ".json": false, ".DS_Store": false,
		"S01-episodes.json.bak": false, "README.md": false,
	} {
		if got := manifest.IsManifest("tuttle_twins/manifests/" + name); got != want {
			t.Errorf("IsManifest(%q) = %v", name, got)
		}
	}
}

func TestMerge(t *testing.T) {
	parse := func(key, body string) []manifest.Entry {
		entries, err := manifest.Parse(key, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return entries
	}
	const link = `"google_spreadsheet_url":"https://docs.google.com/spreadsheets/d/x"`
	merged := manifest.Merge(
		parse("m/S02-episodes.json", `[{"season_code":"S02","episode_code":"E01",`+link+`},{"season_code":"S01","episode_code":"E02",`+link+`}]`),
		parse("m/S01-episodes.json", `[{"season_code":"S01","episode_code":"E02",`+link+`},{"season_code":"S01","episode_code":"E01",`+link+`},
			{"season_code":"s1","episode_code":"e3",`+link+`},{"season_code":"S01","episode_code":"E03",`+link+`}]`),
	)
	var got []string
	for _, e := range merged {
		got = append(got, fmt.Sprintf("%s %v", e.Episode, e.Err))
	}
	want := []string{
		"S01E01 <nil>",
		"S01E02 expected S01E02 once in the manifests, found it 2 times: m/S01-episodes.json line 1, m/S02-episodes.json line 1",
		"S01E03 expected S01E03 once in the manifests, found it 2 times: m/S01-episodes.json line 2, m/S01-episodes.json line 2",
		"S02E01 <nil>",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSeasonOf(t *testing.T) {
	for key, want := range map[string]string{
		"tuttle_twins/manifests/S01-episodes.json": "S01", "s2-episodes.json": "S02", "S12-episodes.json": "S12",
		"S01-episodes.json.bak": "", "S01-Episodes.json": "", "x-episodes.json": "", "-episodes.json": "", "S01/": "", "": "",
	} {
		if got, ok := manifest.SeasonOf(key); got != want || ok != (want != "") {
			t.Errorf("SeasonOf(%q) = %q, %v; want %q", key, got, ok, want)
		}
	}
}

func ExampleEntry_RowURL() {
	entries, err := manifest.Parse("S01-episodes.json", []byte(
		`[{"season_code":"S01","episode_code":"E01","google_spreadsheet_url":"https://docs.google.com/google_spreadsheets/d/1AbC/edit?gid=5"}]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(entries[0].Episode, entries[0].SpreadsheetID, entries[0].RowURL(12))
	// Output: S01E01 1AbC https://docs.google.com/spreadsheets/d/1AbC/edit#gid=5&range=A12
}

// FuzzParse: whatever a manifest says, an ID is a plain file name, a gid is digits, and each entry
// has either an ID or an error.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"season_code":"S01","episode_code":"E01","google_spreadsheet_url":"https://docs.google.com/spreadsheets/d/../x#gid=1"}]`))
	f.Add([]byte(`[{"season_code":"s1","episode_code":"e2","google_spreadsheet_share_link":"spreadsheets/u/0/d/a?gid=&gid=2"}]`))
	f.Add([]byte("\ufeff[]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		entries, err := manifest.Parse(key, body)
		if err != nil && entries != nil {
			t.Fatal("entries and an error")
		}
		for _, e := range manifest.Merge(entries) {
			if (e.SpreadsheetID == "") && e.Err == nil {
				t.Fatalf("neither ID nor error: %+v", e)
			}
			if e.SpreadsheetID != "" && (filepath.Base(e.SpreadsheetID) != e.SpreadsheetID || strings.ContainsAny(e.SpreadsheetID, `./\%?#&`+string(os.PathSeparator))) {
				t.Fatalf("ID %q is not a plain name", e.SpreadsheetID)
			}
			if strings.Trim(e.GID, "0123456789") != "" || len(e.Episode) != 6 {
				t.Fatalf("gid %q, episode %q", e.GID, e.Episode)
			}
		}
	})
}
