// Package manifest reads the manifests, which say which spreadsheet belongs to which episode. All of it are functions
// of values.
package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// suffix is what the name of a manifest ends in.
const suffix = "-episodes.json"

// Entry is one episode of a manifest.
type Entry struct {
	Episode       dataset.Episode
	Title         string // of the spreadsheet, as the manifest has it
	SpreadsheetID string // letters, digits, "-" and "_" only
	GID           string // of the worksheet, digits; "" is the first one
	URL           string // of the worksheet, made from the two; "" without an ID
	Manifest      string // key of the manifest

	// Err is why the episode must be held; the other episodes go on.
	Err error
}

// RowURL leads to a row of the worksheet; "" without an ID.
func (e Entry) RowURL(row int) string {
	if e.URL == "" {
		return ""
	}
	return fmt.Sprintf("%s&range=A%d", e.URL, row)
}

// entry is an episode as a manifest writes it. Unknown fields are ignored.
type entry struct {
	Season    string `json:"season_code"`
	Episode   string `json:"episode_code"`
	Title     string `json:"google_spreadsheet_title"`
	URL       string `json:"google_spreadsheet_url"`
	ShareLink string `json:"google_spreadsheet_share_link"`
}

// SeasonOf is the season that the key of a manifest names, S01 of ".../s01-episodes.json". It is false when the key is
// not a manifest's.
func SeasonOf(key string) (season string, ok bool) {
	code, ok := strings.CutSuffix(path.Base(key), suffix)
	if !ok {
		return "", false
	}
	season, err := dataset.ParseSeason(code)
	return season, err == nil
}

// Parse reads a manifest: a JSON list of episodes. The codes of an entry count, not the season in the key. An entry with
// bad codes fails the whole, since nobody can tell which episode is missing then; so does a list without entries,
// which is rather a broken one. An entry whose spreadsheet cannot be told has Err.
func Parse(key string, body []byte) ([]Entry, error) {
	var list []entry
	if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\ufeff")), &list); err != nil {
		return nil, fmt.Errorf("parse manifest %s: expected a JSON list of episodes: %w", key, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("parse manifest %s: expected a JSON list of episodes, found none in it", key)
	}
	entries := make([]Entry, len(list))
	for i, raw := range list {
		episode, err := dataset.ParseEpisode(strings.TrimSpace(raw.Season), strings.TrimSpace(raw.Episode))
		if err != nil {
			return nil, fmt.Errorf("parse manifest %s: entry %d: %w", key, i+1, err)
		}
		entries[i] = raw.resolve(key, episode)
	}
	return entries, nil
}

// resolve finds the spreadsheet: by the URL, else by the share link.
func (raw entry) resolve(key string, episode dataset.Episode) Entry {
	e := Entry{Episode: episode, Title: raw.Title, Manifest: key}
	l, err := parseLink(raw.URL)
	if err != nil {
		var shareErr error
		if l, shareErr = parseLink(raw.ShareLink); shareErr != nil {
			e.Err = fmt.Errorf("manifest %s: %s: expected .../spreadsheets/d/ID in google_spreadsheet_url, %w, or in google_spreadsheet_share_link, %w",
				key, episode, err, shareErr)
			return e
		}
	}
	e.SpreadsheetID = l.id
	if e.GID, err = l.worksheet(); err != nil {
		e.Err = fmt.Errorf("manifest %s: %s: %w", key, episode, err)
	}
	e.URL = l.canonical(e.GID)
	return e
}

// Merge brings the entries of all manifests together, sorted by episode. An episode that is listed twice becomes one
// entry with Err: which spreadsheet is meant cannot be known.
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

// one makes one entry of those of an episode.
func one(same []Entry) Entry {
	if len(same) == 1 {
		return same[0]
	}
	var keys []string
	for _, e := range same {
		if !slices.Contains(keys, e.Manifest) {
			keys = append(keys, e.Manifest)
		}
	}
	slices.Sort(keys)
	return Entry{
		Episode: same[0].Episode, Title: same[0].Title, Manifest: same[0].Manifest,
		Err: fmt.Errorf("expected %s once in the manifests, found it %d times, in %s", same[0].Episode, len(same), strings.Join(keys, " and ")),
	}
}
