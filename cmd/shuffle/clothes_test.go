package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/season"
)

// shuffle plan, with valid settings in the formats that editors, shells and container runtimes
// produce.
func TestSettingsInOtherClothes(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 24})
	home := filepath.Dir(w.dir) // HOME, where the folder of --local is "own"
	for _, test := range []struct {
		name string
		file string // .env
		env  []string
		args []string
	}{
		{"a slash after the prefix", "", nil, []string{"--local", w.dir, "--prefix", "tuttle_twins/"}},
		{"slashes and blanks around it", "", []string{"SHUFFLE_PREFIX= /tuttle_twins/ "}, []string{"--local", w.dir}},
		{"quotes of Docker", "", []string{`SHUFFLE_PREFIX="tuttle_twins"`, `SHUFFLE_LOCAL='` + w.dir + `'`}, nil},
		{"a carriage return", "", []string{"SHUFFLE_PREFIX=tuttle_twins\r", "SHUFFLE_LOCAL=" + w.dir + "\r"}, nil},
		{"empty variables", "", []string{"SHUFFLE_GROUP=", "SHUFFLE_BUCKET=", "SHUFFLE_GUARD=", "SHUFFLE_STRATIFY=", "SHUFFLE_LOG_LEVEL="}, []string{"--local", w.dir}},
		{"empty variables in .env", "SHUFFLE_GROUP=\nSHUFFLE_GUARD=''\nSHUFFLE_LOCAL=" + w.dir, nil, nil},
		{"an empty variable over .env's", "SHUFFLE_LOCAL=" + w.dir, []string{"SHUFFLE_LOCAL="}, nil},
		{"blanks in lists", "", []string{"SHUFFLE_CLASSES=Junk, Common ,Uncommon,\tRare, Legendary", "SHUFFLE_BUCKET_ALIAS=old , older",
			"SHUFFLE_SPLIT=train = 0.7, validate=0.1 ,test=0.2", "SHUFFLE_EPISODE=S01E01, s01e01"}, []string{"--local", w.dir}},
		{"the home folder", "", []string{"SHUFFLE_LOCAL=~/own"}, nil},
		{"the home folder after an equals sign", "", nil, []string{"--local=~/own"}},
		{"the home folder in URLs", "", []string{"SHUFFLE_BUCKET=file:///~/own/bucket", "SHUFFLE_QUEUES=sqlite://~/own/queues.db", "SHUFFLE_SHEETS=file://~/own/sheets"}, nil},
		{"a byte order mark in .env", "\uFEFFSHUFFLE_LOCAL=" + w.dir + "\r\n", nil, nil},
		{"export in .env", "export SHUFFLE_LOCAL=\"" + w.dir + "\"  # ours\n", nil, nil},
	} {
		work := filepath.Join(home, "clothes")
		w.must(os.MkdirAll(work, 0o700))
		w.must(os.WriteFile(filepath.Join(work, ".env"), []byte(test.file), 0o600))
		p := start(t, work, slices.Concat(w.env, test.env), slices.Concat(test.args, []string{"plan", "--dry-run"})...)
		if out, logs := p.wait(anyCode); p.code() != 0 || !strings.Contains(out, "24 tasks") {
			t.Errorf("%s: exit code %d\n%s\n%s", test.name, p.code(), out, logs)
		} else if strings.Contains(logs, "warning") {
			t.Errorf("%s: %s", test.name, logs)
		}
	}
}

// shuffle, with mistakes in .env: the message has file, line and name, and nothing else from the
// file.
func TestSlipsInEnvFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for text, want := range map[string]string{
		"A_B=1\nSHUFFLE_GROUP=\"10s\nPASSWORD=hush\n": `read \.env: line 2 \(SHUFFLE_GROUP\): expected NAME=VALUE`,
		"hush\n":                                       `read \.env: line 1: expected NAME=VALUE`,
		"SHUFFLE_GROUP='1s' x\nPASSWORD=hush\n":        `read \.env: line 1 \(SHUFFLE_GROUP\): expected`,
		"# x\n\nSHUFFLE GROUP=1s\nPASSWORD=hush":       `read \.env: line 3: expected`,
		"\xff\xfeP\x00A\x00S\x00S\x00=\x00h\x00\n\x00": `read \.env: it is not UTF-8 text`,
	} {
		w.must(os.WriteFile(filepath.Join(w.work, ".env"), []byte(text), 0o600))
		out, logs := w.command("status").wait(2)
		says(t, logs, want)
		if strings.Contains(out+logs, "hush") {
			t.Errorf("the message shows the file: %s", logs)
		}
	}
}

// shuffle, with variables that are not settings: a warning on stderr has the nearest name, and the
// command continues.
func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 24})
	w.must(os.WriteFile(filepath.Join(w.work, ".env"), []byte("SHUFFLE_SPLITS=train=1\nSHUFFLE_SEDE=\nOTHER=1\n"), 0o600))
	env := slices.Concat(w.env, []string{"SHUFFLE_GRUOP=10s", "SHUFFLE_MAX_DELETES=5", "SHUFFLE_ZZZZ=hush", "SHUFFLE_TEST_REQUIRE=1", "SHUFLE_GROUP=1", "SHUFFLE_SEED=7"})
	out, logs := start(t, w.work, env, w.local([]string{"plan", "--json", "--dry-run"})...).wait(0)
	want := []string{
		"shuffle: warning: SHUFFLE_GRUOP is no setting; did you mean SHUFFLE_GROUP?",
		"shuffle: warning: SHUFFLE_MAX_DELETES is no setting; did you mean SHUFFLE_MAX_DELETE?",
		"shuffle: warning: SHUFFLE_SPLITS is no setting; did you mean SHUFFLE_SPLIT? (in .env)",
		"shuffle: warning: SHUFFLE_ZZZZ is no setting; shuffle --help lists them",
	}
	var got []string
	for line := range strings.Lines(logs) {
		if strings.Contains(line, "warning: ") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("warned: %q\nexpected: %q", got, want)
	}
	if strings.Contains(out, "warning") || strings.Contains(logs, "hush") {
		t.Errorf("%s\n%s", out, logs)
	}
}
