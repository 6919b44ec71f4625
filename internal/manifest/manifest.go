// Package manifest reads the manifests, which assign a spreadsheet to each episode. It has only
// pure functions.
package manifest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// suffix is the end of a manifest's name.
const suffix = "-episodes.json"

// Entry is one episode of a manifest.
type Entry struct {
	Episode       dataset.Episode
	Title         string // the spreadsheet's title in the manifest
	SpreadsheetID string // letters, digits, "-" and "_" only
	GID           string // of the worksheet, digits; "" is the first one
	URL           string // of the worksheet, made from the two; "" without an ID
	Manifest      string // key of the manifest
	Line          int    // the manifest's line where the entry begins, from 1

	// Err is why the episode must be held. It does not affect the other episodes.
	Err error
}

// RowURL returns the address of a row of the worksheet, or "" without an ID.
func (e Entry) RowURL(row int) string {
	if e.URL == "" {
		return ""
	}
	return fmt.Sprintf("%s&range=A%d", e.URL, row)
}

// entry is an episode in a manifest. Unknown fields are ignored.
type entry struct {
	Season    string `json:"season_code"`
	Episode   string `json:"episode_code"`
	Title     string `json:"google_spreadsheet_title"`
	URL       string `json:"google_spreadsheet_url"`
	ShareLink string `json:"google_spreadsheet_share_link"`
}

// SeasonOf returns the season in the key of a manifest, S01 for ".../s01-episodes.json". It returns
// false when the key is not a manifest's.
func SeasonOf(key string) (season string, ok bool) {
	code, ok := strings.CutSuffix(path.Base(key), suffix)
	if !ok {
		return "", false
	}
	season, err := dataset.ParseSeason(code)
	return season, err == nil
}

// IsManifest reports whether the key of an object in the folder of manifests is meant as a
// manifest's. Hidden files, which some systems create (._S01-episodes.json), and files of other
// kinds are not manifests.
func IsManifest(key string) bool {
	name := path.Base(key)
	return !strings.HasPrefix(name, ".") && strings.EqualFold(path.Ext(name), ".json")
}

// Parse reads a manifest: a JSON list of episodes. The codes of an entry count, not the season in
// the key. An entry with bad codes makes the whole manifest fail, because it is unknown which
// episode is missing. A list without entries fails too, because it is probably broken. An entry
// without a valid spreadsheet has Err.
func Parse(key string, body []byte) ([]Entry, error) {
	entries, err := parse(key, bytes.TrimPrefix(body, []byte("\ufeff")))
	if err != nil {
		return nil, fmt.Errorf("parse manifest %s: %w", key, err)
	}
	return entries, nil
}

func parse(key string, body []byte) ([]Entry, error) {
	if bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.HasPrefix(body, []byte("\xfe\xff")) {
		return nil, errors.New("expected JSON in UTF-8, found UTF-16: save it in UTF-8")
	}
	var list []json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("expected a JSON list of episodes: %w", atLine(body, err))
	}
	if len(list) == 0 {
		return nil, errors.New("expected a JSON list of episodes, found none in it")
	}
	entries, end := make([]Entry, len(list)), 0
	for i, text := range list {
		start := end + bytes.Index(body[end:], text)
		end = start + len(text)
		line := lineAt(body, start)
		failed := func(err error) error { return fmt.Errorf("entry %d, line %d: %w", i+1, line, err) }
		if !bytes.HasPrefix(text, []byte("{")) {
			return nil, failed(fmt.Errorf("expected an episode in braces, found %.40q", text))
		}
		var raw entry
		var mismatch *json.UnmarshalTypeError
		if err := json.Unmarshal(text, &raw); errors.As(err, &mismatch) {
			return nil, failed(fmt.Errorf("%s: expected a text in quotes, found a JSON %s", mismatch.Field, mismatch.Value))
		} else if err != nil {
			return nil, failed(err)
		}
		episode, err := raw.episode()
		if err != nil {
			return nil, failed(err)
		}
		entries[i] = raw.resolve(episode)
		entries[i].Manifest, entries[i].Line = key, line
		if err := entries[i].Err; err != nil {
			entries[i].Err = fmt.Errorf("manifest %s: %s: %w", key, episode, failed(err))
		}
	}
	return entries, nil
}

// atLine adds the line to an error of the JSON, when the error has a position.
func atLine(body []byte, err error) error {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: %w", lineAt(body, int(syntax.Offset)), err)
	case errors.As(err, &mismatch):
		return fmt.Errorf("found a JSON %s", mismatch.Value)
	}
	return err
}

func lineAt(body []byte, offset int) int {
	return bytes.Count(body[:min(max(offset, 0), len(body))], []byte("\n")) + 1
}

// episode reads the codes.
func (raw entry) episode() (dataset.Episode, error) {
	season, code := strings.TrimSpace(raw.Season), strings.TrimSpace(raw.Episode)
	field := "episode_code"
	if _, err := dataset.ParseSeason(season); err != nil {
		field = "season_code"
	}
	episode, err := dataset.ParseEpisode(season, code)
	if err != nil {
		return "", fmt.Errorf("%s: %w", field, err)
	}
	return episode, nil
}

// resolve finds the spreadsheet by the URL, else by the share link.
func (raw entry) resolve(episode dataset.Episode) Entry {
	const urlField, shareField = "google_spreadsheet_url", "google_spreadsheet_share_link"
	e, field := Entry{Episode: episode, Title: raw.Title}, urlField
	l, err := parseLink(raw.URL)
	if err != nil {
		var shareErr error
		if l, shareErr = parseLink(raw.ShareLink); shareErr != nil {
			e.Err = fmt.Errorf("expected .../spreadsheets/d/ID in %s, %w, or in %s, %w", urlField, err, shareField, shareErr)
			return e
		}
		field = shareField
	}
	e.SpreadsheetID = l.id
	if e.GID, err = l.worksheet(); err != nil {
		e.Err = fmt.Errorf("%s: %w", field, err)
	}
	// It is built from the ID and the gid, so that a page can safely show it as a link.
	e.URL = "https://docs.google.com/spreadsheets/d/" + l.id + "/edit#gid=" + cmp.Or(e.GID, "0")
	return e
}

// Merge joins the entries of all manifests, sorted by episode. An episode that is listed twice
// becomes one entry with Err, because it is unclear which spreadsheet is meant.
func Merge(manifests ...[]Entry) []Entry {
	all := slices.Concat(manifests...)
	slices.SortStableFunc(all, func(a, b Entry) int { return strings.Compare(string(a.Episode), string(b.Episode)) })
	var merged []Entry
	for i := 0; i < len(all); {
		end := i + 1
		for end < len(all) && all[end].Episode == all[i].Episode {
			end++
		}
		merged = append(merged, one(all[i:end]))
		i = end
	}
	return merged
}

// one merges the entries of an episode into one.
func one(same []Entry) Entry {
	if len(same) == 1 {
		return same[0]
	}
	var places []string
	for _, e := range same {
		places = append(places, fmt.Sprintf("%s line %d", e.Manifest, e.Line))
	}
	slices.Sort(places)
	const most = 5
	if len(places) > most {
		places = append(places[:most], "…")
	}
	return Entry{
		Episode: same[0].Episode, Title: same[0].Title, Manifest: same[0].Manifest, Line: same[0].Line,
		Err: fmt.Errorf("expected %s once in the manifests, found it %d times: %s", same[0].Episode, len(same), strings.Join(places, ", ")),
	}
}
