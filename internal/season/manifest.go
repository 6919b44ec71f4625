package season

import (
	"encoding/json"
	"fmt"
	"strings"
)

type manifestEntry struct {
	SeasonCode    string `json:"season_code"`
	EpisodeCode   string `json:"episode_code"`
	Title         string `json:"google_spreadsheet_title"`
	URL           string `json:"google_spreadsheet_url"`
	ShareLink     string `json:"google_spreadsheet_share_link"`
	EpisodeLength int    `json:"episode_length,omitempty"` // one of the fields that a reader does not know
}

// ManifestKey returns the key of the manifest.
func (s *Season) ManifestKey() string {
	return fmt.Sprintf("%s/manifests/%s-episodes.json", s.Options.Prefix, s.Options.Season)
}

// Manifest returns the JSON with the season's episodes and their spreadsheets.
func (s *Season) Manifest() ([]byte, error) {
	entries := make([]manifestEntry, 0, len(s.Episodes))
	for _, e := range s.Episodes {
		entries = append(entries, manifestEntry{
			SeasonCode:    e.Episode.Season(),
			EpisodeCode:   e.Episode.Code(),
			Title:         strings.ToUpper(e.options.Prefix) + " " + string(e.Episode) + " frames",
			URL:           "https://docs.google.com/spreadsheets/d/" + e.SpreadsheetID + "/edit#gid=0",
			ShareLink:     "https://docs.google.com/google_spreadsheets/d/" + e.SpreadsheetID + "/edit?usp=sharing",
			EpisodeLength: len(e.scenes),
		})
	}
	body, err := json.MarshalIndent(entries, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode manifest of %s: %w", s.Options.Season, err)
	}
	return append(body, '\n'), nil
}
