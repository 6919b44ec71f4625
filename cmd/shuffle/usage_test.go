package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/season"
)

// shuffle, called wrongly: exit 2, and a message about the fault with flag and variable.
func TestUsage(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 24})
	untouched(t, w.bucket("tuttle_twins"), func() {
		for _, test := range []struct {
			env  string
			args []string
			says string
		}{
			{"", []string{"plan", "--nope"}, `unknown flag --nope`},
			{"", []string{"nope"}, `unexpected argument nope`},
			{"", []string{"plan", "more"}, `unexpected argument more`},
			{"", []string{"apply"}, `expected "<run>"`},
			{"", []string{"plan", "--split", "train=1,test=x"}, `--split \(SHUFFLE_SPLIT\): .*test=x`},
			{"", []string{"plan", "--split", "train=0.5,test=0.3"}, `--split \(SHUFFLE_SPLIT\): .*0\.8`},
			{"SHUFFLE_SPLIT=train", []string{"plan"}, `--split \(SHUFFLE_SPLIT\)`},
			{"", []string{"plan", "--season", "first"}, `--season \(SHUFFLE_SEASON\): season "first": expected the form S01`},
			{"", []string{"plan", "--season", "S07"}, `--season S07: no manifest names`},
			{"", []string{"plan", "--episode", "E01"}, `--episode \(SHUFFLE_EPISODE\): episode "E01": expected the form S01E01`},
			{"", []string{"plan", "--episode", "S01E09"}, `--episode S01E09: no manifest names it`},
			{"", []string{"run", "--allow-delete", "x"}, `--allow-delete \(SHUFFLE_ALLOW_DELETE\)`},
			{"", []string{"plan", "--allow-delete", "S01E09"}, `--allow-delete S01E09`},
			{"", []string{"plan", "--prune", "S01E01"}, `--prune S01E01`},
			{"", []string{"plan", "--max-delete", "many"}, `--max-delete.*"many": expected a count such as 500, or a share such as 5%`},
			{"SHUFFLE_MAX_DELETE=many", []string{"plan"}, `--max-delete.*SHUFFLE_MAX_DELETE`},
			{"", []string{"work", "--concurrency", "0"}, `--concurrency 0 \(SHUFFLE_CONCURRENCY\): expected 1 to 5000`},
			{"SHUFFLE_CONCURRENCY=x", []string{"work"}, `--concurrency.*SHUFFLE_CONCURRENCY="x"`},
			{"SHUFFLE_VISIBILITY_TIMEOUT=3s", []string{"work"}, `--visibility-timeout 3s \(SHUFFLE_VISIBILITY_TIMEOUT\)`},
			{"", []string{"plan", "--prefix", "a/../b"}, `--prefix "a/../b" \(SHUFFLE_PREFIX\)`},
			{"", []string{"plan", "--classes", "Rare,rare"}, `--classes "Rare,rare" \(SHUFFLE_CLASSES\)`},
			{"", []string{"demo", "--frames", "3"}, `--frames 3`},
			{"", []string{"verify"}, `nothing to compare with: no run has succeeded yet; shuffle --local \S+ plan begins one`},
			{"", []string{"status"}, `there is no run yet; shuffle --local \S+ plan begins the first`},
			{"", []string{"status", "20261123T212443Z-42"}, `no such run`},
			{"", []string{"dead", "../.."}, `no such run`},
			{"", []string{"apply", "20261123T212443Z-42"}, `not the one waiting for its review`},
		} {
			p := start(t, w.work, append(w.env, test.env), w.local(test.args)...)
			if _, logs := p.wait(anyCode); p.code() != 2 {
				t.Errorf("%s shuffle %q: exit code %d, expected 2\n%s", test.env, test.args, p.code(), logs)
			} else {
				says(t, logs, test.says)
			}
		}
	})
}

// shuffle with URLs that do not name a bucket, queues or sheets: exit 2, with flag, variable and
// the expected form.
func TestUsageOfURLs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(os.MkdirAll(filepath.Join(w.work, "bucket"), 0o700))
	bucket, queues, sheets := "file://"+w.work+"/bucket", "sqlite://"+w.work+"/queues.db", "file://"+w.work+"/sheets"
	for _, test := range []struct{ bucket, queues, sheets, says string }{
		{"media.angel-nft.com", queues, sheets, `bucket "media\.angel-nft\.com" \(--bucket, SHUFFLE_BUCKET\): expected s3://NAME or file:///DIR`},
		{"file://bucket", queues, sheets, `bucket "file://bucket" \(--bucket, SHUFFLE_BUCKET\)`},
		{"s3://a/b", queues, sheets, `bucket "s3://a/b" \(--bucket, SHUFFLE_BUCKET\)`},
		{bucket, "redis://x", sheets, `queues "redis://x" \(--queues, SHUFFLE_QUEUES\): expected sqs:// or sqlite:///FILE`},
		{bucket, "sqlite://queues.db", sheets, `queues "sqlite://queues\.db" \(--queues, SHUFFLE_QUEUES\)`},
		{bucket, queues, "excel://x", `sheets "excel://x" \(--sheets, SHUFFLE_SHEETS\): expected google:// or file:///DIR`},
		{bucket, queues, "file://sheets", `sheets "file://sheets" \(--sheets, SHUFFLE_SHEETS\)`},
	} {
		_, logs := w.command("--bucket", test.bucket, "--queues", test.queues, "--sheets", test.sheets, "plan").wait(2)
		says(t, logs, test.says)
	}
}

// shuffle plan, with SHUFFLE_LOCAL in the environment, or in .env in the working folder.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 24})
	out, _ := start(t, w.work, append(w.env, "SHUFFLE_LOCAL="+w.dir), "plan", "--dry-run").wait(0)
	says(t, out, `Dry run: 24 tasks`)

	w.must(os.WriteFile(filepath.Join(w.work, ".env"), []byte("SHUFFLE_LOCAL='"+w.dir+"'\nSHUFFLE_SPLIT=\"train=1\"\n"), 0o600))
	out, _ = w.command("plan", "--dry-run").wait(0)
	says(t, out, `Dry run: 24 tasks.* Split train=1`)
	out, _ = w.command("--split", "test=1", "plan", "--dry-run").wait(0)
	says(t, out, `Split test=1`)

	w.must(os.WriteFile(filepath.Join(w.work, ".env"), []byte("what's this"), 0o600))
	_, logs := w.command("plan").wait(2)
	says(t, logs, `read \.env`)
}
