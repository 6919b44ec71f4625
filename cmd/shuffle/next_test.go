package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/season"
)

// shuffle status --watch, before the first plan; then shuffle run
func TestWatchBeforeThePlan(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	w.run(0, "setup")
	w.run(2, "status")
	watching := w.start("status", "--watch")
	await(t, "the watch waits", watching.up)
	w.run(0, "run")
	out, logs := watching.wait(0)
	says(t, logs, `There is no run yet; waiting for the first \(shuffle --local \S+ plan\)`)
	says(t, out, `succeeded: run \S+, generation 1`)
}

// shuffle --bucket file:///DIR with a folder that does not exist, and each command: exit 2, and
// nothing is created.
func TestMissingBucketFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(os.MkdirAll(filepath.Join(w.work, "bucket"), 0o700))
	missing := filepath.Join(w.work, "buckte")
	ports := []string{"--bucket", "file://" + missing, "--queues", "sqlite://" + w.work + "/queues.db", "--sheets", "file://" + w.work + "/sheets"}
	for _, command := range leaves(t) {
		switch command.args[0] {
		case "setup", "demo", "alive", "completion":
			continue
		}
		_, logs := w.command(append(ports, command.args...)...).wait(2)
		says(t, logs, `--bucket \(SHUFFLE_BUCKET\): the folder `+regexp.QuoteMeta(missing)+` does not exist; did you mean `+regexp.QuoteMeta(filepath.Join(w.work, "bucket"))+`\?`)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Errorf("%s was made", missing)
	}
	w.command(append(ports, "setup", "--create-bucket")...).wait(0)
	w.command(append(ports, "runs")...).wait(0)
}

// shuffle cancel and shuffle redrive of a run that does not exist
func TestUnknownRuns(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 24})
	w.finish(24)
	for _, command := range []string{"cancel", "redrive"} {
		for _, run := range []string{"nosuch", "20261123T212443Z-9-k7f3"} {
			_, logs := w.run(2, command, run)
			says(t, logs, `no such run: `+run+`; see shuffle --local \S+ runs`)
		}
	}
}

// shuffle plan, why and doctor with a manifest that has a wrong file name: they name it, and give
// no advice to delete.
func TestMisnamedManifest(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 24})
	second := w.add(season.Options{Season: "S02", Episodes: 1, Frames: 24})
	w.finish(48)
	folder := w.bucket("tuttle_twins", "manifests")
	w.must(os.Rename(filepath.Join(folder, "S02-episodes.json"), filepath.Join(folder, "season two.json")))
	out, _ := w.run(1, "plan", "--dry-run")
	says(t, out, `Orphans: 1 episode .* S02E01 .* They may belong to tuttle_twins/manifests/season two\.json, which is not read: give it a name such as S01-episodes\.json`)
	frame := string(second.Episodes[0].Images[0])
	why, _ := w.run(0, "why", frame)
	says(t, why, `no manifest names S02E01, unless one that is not read does: \["tuttle_twins/manifests/season two\.json"\], expected a name such as S02-episodes\.json`)
	if strings.Contains(out+why, "--prune") {
		t.Errorf("it says how to delete what a misnamed manifest may name:\n%s%s", out, why)
	}
	out, _ = w.run(0, "why", "TT_S09_E09_FRM-00-00-00-00")
	says(t, out, `unknown: no manifest names S09E09, unless one`)
	w.must(os.Remove(filepath.Join(folder, "season two.json")))
	out, _ = w.run(0, "why", "TT_S09_E09_FRM-00-00-00-00")
	says(t, out, `unknown: no manifest names the episode S09E09, and no frame of it is in the datasets`)
	out, _ = w.run(0, "why", frame)
	says(t, out, `its frames in the datasets are orphans, .*--prune S02E01`)
}

// The next command in a world in a folder, where no service runs: shuffle run.
func TestNextOnOneMachine(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	w.run(0, "setup")
	out, _ := w.run(0, "plan", "--dry-run")
	says(t, out, `Next: shuffle --local \S+ run --seed \w+ publish it`)
	out, _ = w.run(0, "plan")
	says(t, out, `Next: shuffle --local \S+ status --watch .* shuffle --local \S+ run --resume apply and track the tasks here`)
	if strings.Contains(out, w.dir+" track") {
		t.Errorf("a service is named:\n%s", out)
	}
	w.run(0, "run", "--resume")
	w.checkDatasets()
}

// shuffle doctor without a login for AWS: the reason is printed once.
func TestDoctorWithoutALogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env = append(w.env, "AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=us-west-2", "AWS_CONFIG_FILE=/none", "AWS_SHARED_CREDENTIALS_FILE=/none")
	out, _ := w.command("doctor").wait(1)
	if n := strings.Count(out, "AWS_SECRET_ACCESS_KEY"); n != 1 {
		t.Errorf("the advice is there %d times:\n%s", n, out)
	}
	says(t, out, `no login for AWS was found: set AWS_PROFILE.*--local DIR .* queue google-shuffle-tasks for the same reason as: `)
	says(t, out, `sheets .* name the service account's JSON file in GOOGLE_DRIVE_CREDENTIALS_FILE, or keep everything in a folder`)
}
