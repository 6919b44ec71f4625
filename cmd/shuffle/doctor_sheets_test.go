package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
)

// clinic is a season in the embedded bucket and queues, with a Sheets API for its sheets.
type clinic struct {
	t      *testing.T
	season *season.Season
	bucket open.Bucket
	api    *sheettest.Server
	args   []string
}

func newClinic(t *testing.T, episodes int) *clinic {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir) // no .env
	s, err := season.Generate(season.Options{Episodes: episodes, Frames: 30})
	if err != nil {
		t.Fatal(err)
	}
	c := &clinic{t: t, season: s, api: sheettest.NewServer()}
	server := httptest.NewServer(c.api)
	t.Cleanup(server.Close)
	url := "file://" + filepath.ToSlash(filepath.Join(dir, "bucket"))
	c.args = []string{"--bucket", url, "--queues", "sqlite://" + filepath.ToSlash(filepath.Join(dir, "queues.db")), "--sheets-endpoint", server.URL}
	opener := open.New(4)
	t.Cleanup(func() { _ = opener.Close() }) // only a handle of a folder
	if c.bucket, _, err = opener.Bucket(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteImages(t.Context(), c.bucket); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteManifest(t.Context(), c.bucket); err != nil {
		t.Fatal(err)
	}
	for _, e := range s.Episodes {
		c.api.Set(e.SpreadsheetID, sheettest.One("Frames of "+string(e.Episode), e.Sheet()...))
	}
	return c
}

func (c *clinic) put(key, body string) {
	c.t.Helper()
	if _, err := c.bucket.PutObject(c.t.Context(), key, []byte(body), bucket.Condition{}); err != nil {
		c.t.Fatal(err)
	}
}

// doctor runs shuffle doctor and returns its output on one line.
func (c *clinic) doctor(healthy bool) string {
	c.t.Helper()
	var out, logs bytes.Buffer
	err := run(c.t.Context(), append([]string{"doctor"}, c.args...), &out, &logs)
	if healthy && err != nil || !healthy && !errors.Is(err, errOutcome) {
		c.t.Fatalf("doctor: %v\n%s\n%s", err, &out, &logs)
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// mustSay looks for each text in the output of doctor.
func (c *clinic) mustSay(said string, parts ...string) {
	c.t.Helper()
	for _, part := range parts {
		if !strings.Contains(said, part) {
			c.t.Errorf("doctor does not say %q:\n%s", part, said)
		}
	}
}

func TestDoctorFindsAllWell(t *testing.T) {
	c := newClinic(t, 2)
	c.mustSay(c.doctor(true), "✓ sheet of S01E01 30 frames, 30 images, 0 problems", "✓ sheet of S01E02", "✓ queue google-shuffle-tasks", "checks passed")
}

// shuffle doctor: each kind of fault of a sheet has its own advice, and the address to follow.
func TestDoctorOnSheets(t *testing.T) {
	c := newClinic(t, 5)
	id := func(n int) string { return c.season.Episodes[n-1].SpreadsheetID }
	c.api.Fail(id(2), http.StatusForbidden, -1)
	c.api.Remove(id(3))
	c.api.Set(id(4), sheettest.One("Frames", []string{"FRAME NUMBER"}, []string{"TT_S01_E04_FRM-00-00-00-00"}))
	c.api.Fail(id(5), http.StatusInternalServerError, 1) // once, then it succeeds
	address := func(n int) string { return "https://docs.google.com/spreadsheets/d/" + id(n) + "/edit#gid=0" }
	c.mustSay(c.doctor(false), "✓ sheet of S01E01", "✓ sheet of S01E05", "✗ 3 of",
		"✗ sheet of S01E02", "no permission", "→ share the sheet with the account that reads it: "+address(2),
		"✗ sheet of S01E03", "not found", "→ fix the sheet's address in the manifest tuttle_twins/manifests/S01-episodes.json: it is "+address(3),
		"✗ sheet of S01E04", `expected the column "UNSUPERVISED CLASSIFICATION"`, "→ fix the sheet "+address(4),
	)
}

// Manifests that cannot be read, or do not lead to a sheet: the advice is about them.
func TestDoctorOnManifests(t *testing.T) {
	c := newClinic(t, 1)
	c.put("tuttle_twins/manifests/S02-episodes.json", "<html>")
	c.put("tuttle_twins/manifests/S03-episodes.json", `[{"season_code":"S03","episode_code":"E01","google_spreadsheet_url":"https://example.com/"}]`)
	c.put("tuttle_twins/manifests/third-episodes.json", `[]`)
	c.mustSay(c.doctor(false), "✓ sheet of S01E01", "✗ 3 of",
		"expected a JSON list of episodes", "→ fix the manifest tuttle_twins/manifests/S02-episodes.json",
		"✗ sheet of S03E01", "expected .../spreadsheets/d/ID in google_spreadsheet_url", "→ fix the manifest tuttle_twins/manifests/S03-episodes.json",
		"expected a name such as S01-episodes.json", "→ fix the manifest tuttle_twins/manifests/third-episodes.json",
	)
}

func TestDoctorWithoutManifests(t *testing.T) {
	c := newClinic(t, 1)
	if failed, err := c.bucket.DeleteObjects(t.Context(), []string{c.season.ManifestKey()}); err != nil || len(failed) > 0 {
		t.Fatal(failed, err)
	}
	c.mustSay(c.doctor(false), "✗ manifests no manifests found", "→ check --prefix (SHUFFLE_PREFIX), and put a manifest there")
}
