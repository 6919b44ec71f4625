package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/pull"
	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/version"
)

// taggable returns a world in which each run publishes a version.
func taggable(t *testing.T, env ...string) *world {
	t.Helper()
	w := generated(t, season.Options{Episodes: 1, Frames: 100})
	w.env = append(w.env, env...)
	w.run(0, "run")
	return w
}

// nextVersion relabels frames and runs.
func (w *world) nextVersion() {
	w.t.Helper()
	w.episode(0).Relabel(3)
	w.save(w.episode(0))
	w.run(0, "run")
}

// listed returns the versions and their tags, from versions --json.
func (w *world) listed() (generations []int64, tags map[int64][]string) {
	w.t.Helper()
	out, _ := w.run(0, "versions", "--json")
	tags = map[int64][]string{}
	for _, v := range decode[[]version.Listed](w.t, out) {
		generations = append(generations, v.Generation)
		tags[v.Generation] = v.Tags
	}
	return generations, tags
}

// shuffle versions --tag NAME V, while only the newest version is kept: the tagged one remains, and
// each command accepts its name.
func TestTaggedVersion(t *testing.T) {
	t.Parallel()
	w := taggable(t, "SHUFFLE_KEEP_VERSIONS=1")
	out, _ := w.run(0, "versions", "--tag", "paper-2", "latest")
	says(t, out, `Tag paper-2 names version 1`)
	w.nextVersion()
	w.run(0, "versions", "--tag", "v1.0", "2")
	w.run(0, "versions", "--untag", "v1.0")
	w.nextVersion()
	generations, tags := w.listed()
	if diff := cmp.Diff([]int64{3, 1}, generations); diff != "" {
		t.Errorf("versions, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(map[int64][]string{3: {}, 1: {"paper-2"}}, tags); diff != "" {
		t.Errorf("tags, -want +got:\n%s", diff)
	}
	out, _ = w.run(0, "versions")
	says(t, out, `3 .* latest 1 .* paper-2 Next:`)
	out, _ = w.run(0, "pull", "--version", "paper-2", "frames", "--json")
	if r := decode[pull.Result](t, out); r.Version != 1 || r.Tag != "paper-2" || !r.Whole() {
		t.Errorf("pull --version paper-2: %+v", r)
	}
	out, _ = w.run(0, "versions", "paper-2", "latest", "--json")
	if d := decode[version.Diff](t, out); d.From != 1 || d.To != 3 || len(d.Changes) == 0 {
		t.Errorf("versions paper-2 latest: %+v", d)
	}
	out, _ = w.run(0, "restore", "paper-2", "--dry-run", "--json")
	if p := decode[state.Plan](t, out); p.Restores != 1 || p.Tasks == 0 {
		t.Errorf("restore paper-2: %d tasks back to %d", p.Tasks, p.Restores)
	}

	_, logs := w.run(2, "versions", "--tag", "paper-2", "3")
	says(t, logs, `paper-2 already names version 1; add --force to move it to version 3`)
	out, _ = w.run(0, "versions", "--tag", "paper-2", "3", "--force", "--json")
	if c := decode[version.TagChange](t, out); c != (version.TagChange{Tag: "paper-2", Before: 1, Version: 3}) {
		t.Errorf("%+v", c)
	}
	w.nextVersion()
	if generations, _ := w.listed(); !slices.Equal(generations, []int64{4, 3}) {
		t.Errorf("versions %v after the tag was moved to 3", generations)
	}
	_, logs = w.run(2, "pull", "--version", "1", "one")
	says(t, logs, `no such dataset version: 1: .*SHUFFLE_KEEP_VERSIONS`)
}

// shuffle versions --tag, called wrongly: exit 2, and no tag is set.
func TestUsageOfTags(t *testing.T) {
	t.Parallel()
	w := taggable(t)
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"--tag", "a"}, `--tag: expected the one version to tag`},
		{[]string{"--tag", "a", "1", "latest"}, `--tag: expected the one version to tag`},
		{[]string{"--tag", "a", "--untag", "b", "1"}, `--tag and --untag: expected one of them`},
		{[]string{"--untag", "a", "1"}, `--untag: expected no version`},
		{[]string{"--untag", "a"}, `there is no tag "a"`},
		{[]string{"--force"}, `--force: expected with --tag`},
		{[]string{"--tag", "a", "2"}, `no such dataset version: 2`},
		{[]string{"--tag", "a", "b"}, `there is no tag "b"`},
		{[]string{"--tag", "", "1"}, `tag "": expected 1 to 64 letters`},
		{[]string{"--tag", "3", "1"}, `tag "3": expected`},
		{[]string{"--tag", "latest", "1"}, `neither a number nor latest`},
		{[]string{"--tag", "a/b", "1"}, `tag "a/b": expected`},
		{[]string{"--tag", "\x1b[2J", "1"}, `tag "\\x1b\[2J": expected`},
		{[]string{"newest"}, `no such dataset version: there is no tag "newest": expected a number such as 3, a tag, or latest`},
	} {
		_, logs := w.run(2, append([]string{"versions"}, test.args...)...)
		says(t, logs, test.says)
	}
	if _, err := os.Stat(w.own("versions", "tags.json")); !os.IsNotExist(err) {
		t.Errorf("a tag was set: %v", err)
	}
}

// shuffle run and versions with a tags.json that someone has damaged, or that a newer program has
// written. The run succeeds, no version is removed, and each command that needs the tags reports
// it.
func TestSpoiltTags(t *testing.T) {
	t.Parallel()
	w := taggable(t, "SHUFFLE_KEEP_VERSIONS=1")
	file := w.own("versions", "tags.json")
	w.run(0, "versions", "--tag", "paper", "1")
	w.put(file, `{"v":2,"tags":{"paper":1}}`)
	w.nextVersion()
	w.put(file, `{"v":1,`)
	w.nextVersion()
	for _, args := range [][]string{{"versions"}, {"versions", "--tag", "b", "1"}, {"versions", "--untag", "paper"}, {"pull", "--version", "paper", "frames"}} {
		_, logs := w.run(1, args...)
		says(t, logs, `read tuttle_twins/shuffle/versions/tags\.json: .*restore the object's last version`)
	}
	w.run(0, "pull", "--version", "2", "frames")
	w.run(0, "versions", "1", "latest")
	w.must(os.Remove(file))
	if generations, _ := w.listed(); !slices.Equal(generations, []int64{3, 2, 1}) {
		t.Errorf("versions %v", generations)
	}
}

// shuffle pull --lock FILE DIR: it pulls the same version again, from a copy of the bucket in
// another folder into another folder, byte for byte. Later versions and tags have no effect.
func TestLockFileElsewhere(t *testing.T) {
	t.Parallel()
	w := taggable(t)
	w.run(0, "versions", "--tag", "paper", "1")
	out, _ := w.run(0, "pull", "--version", "paper", "first")
	says(t, out, `version 1 \(paper\) in first: .* Lock file first/shuffle\.lock\.json: .* pull --lock FILE DIR`)
	w.must(os.MkdirAll(filepath.Join(w.work, "training"), 0o700))
	lock := filepath.Join(w.work, "training", "frames.lock")
	w.must(os.Rename(filepath.Join(w.work, "first", pull.LockName), lock))
	w.nextVersion()
	w.run(0, "versions", "--tag", "paper", "latest", "--force")

	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	w.must(os.CopyFS(elsewhere, os.DirFS(w.dir)))
	there := start(t, t.TempDir(), w.env, "--local", elsewhere, "pull", "--lock", lock, filepath.Join(w.work, "second"), "--json")
	out, _ = there.wait(0)
	if r := decode[pull.Result](t, out); r.Version != 1 || r.Tag != "paper" || r.Fetched != r.Frames {
		t.Errorf("%+v", r)
	}
	body, err := os.ReadFile(lock)
	w.must(err)
	again, err := os.ReadFile(filepath.Join(w.work, "second", pull.LockName))
	w.must(err)
	if diff := cmp.Diff(string(body), string(again)); diff != "" {
		t.Errorf("the lock file, -first +second:\n%s", diff)
	}
	for _, name := range []string{"train.csv", "test.csv", "validate.csv", "classes.json", "README.md"} {
		first, err := os.ReadFile(filepath.Join(w.work, "first", name))
		w.must(err)
		second, err := os.ReadFile(filepath.Join(w.work, "second", name))
		w.must(err)
		if diff := cmp.Diff(string(first), string(second)); diff != "" {
			t.Errorf("%s, -first +second:\n%s", name, diff)
		}
	}
	w.run(0, "pull", "--lock", lock, "first")
}

// shuffle pull --lock FILE DIR, of a version that no longer exists: exit 1 and nothing is written.
// Of another bucket, prefix or program: exit 2.
func TestLockFileRefused(t *testing.T) {
	t.Parallel()
	w := taggable(t, "SHUFFLE_KEEP_VERSIONS=1")
	w.run(0, "pull", "first")
	lock := filepath.Join(w.work, "first", pull.LockName)
	_, logs := w.run(2, "pull", "--lock", lock, "--version", "latest", "second")
	says(t, logs, `--lock \(SHUFFLE_LOCK\): expected without --version and --dataset`)
	_, logs = w.run(2, "pull", "--lock", lock, "--dataset", "train", "second")
	says(t, logs, `--lock \(SHUFFLE_LOCK\): expected without --version and --dataset`)
	_, logs = w.run(2, "pull", "--lock", filepath.Join(w.work, "nothing"), "second")
	says(t, logs, `--lock \(SHUFFLE_LOCK\): read ".*nothing"`)
	_, logs = w.run(2, "--prefix", "other", "pull", "--lock", lock, "second")
	says(t, logs, `lock file is of prefix "tuttle_twins" in bucket "bucket", this command reads prefix "other" in bucket "bucket"`)
	other := newWorld(t)
	other.must(os.MkdirAll(other.dir, 0o700))
	_, logs = other.run(2, "pull", "--lock", lock, "second")
	says(t, logs, `lock file is of another bucket or folder`)

	rows := w.own("versions", "1", "snapshot.json")
	body, err := os.ReadFile(rows)
	w.must(err)
	var snapshot map[string]any
	w.must(json.Unmarshal(body, &snapshot))
	delete(snapshot, "episodes")
	delete(snapshot, "sha256") // as a person might edit it
	changed, err := json.Marshal(snapshot)
	w.must(err)
	w.put(rows, string(changed))
	_, logs = w.run(1, "pull", "--lock", lock, "second")
	says(t, logs, `version 1 is not what the lock file has any more: the digest of its rows is sha256:.* nothing was downloaded`)
	w.put(rows, string(body))

	w.nextVersion()
	_, logs = w.run(1, "pull", "--lock", lock, "second")
	says(t, logs, `version 1 of the lock file is not there any more: .*SHUFFLE_KEEP_VERSIONS.* the latest is version 2`)
	if _, err := os.Stat(filepath.Join(w.work, "second")); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
}

// shuffle pull and versions A B after a new class: they print its number and the other numbers that
// change.
func TestClassComes(t *testing.T) {
	t.Parallel()
	w := taggable(t)
	w.run(0, "pull", "frames")
	e := w.episode(0)
	w.draw(e, e.InsertRows(4, "Epic"))
	w.save(e)
	w.env = append(w.env, "SHUFFLE_CLASSES=Junk,Common,Uncommon,Rare,Legendary,Epic")
	w.run(0, "run", "--change-settings")
	const numbers = `Epic new → 1, Junk 1 → 2, Legendary 2 → 3, Rare 3 → 4, Uncommon 4 → 5; a model trained with the old numbers would mix up its classes`
	out, _ := w.run(0, "versions", "1", "2")
	says(t, out, `Class numbers change: `+numbers)
	out, logs := w.run(0, "pull", "frames", "--json")
	says(t, logs, `Class numbers in frames change: `+numbers)
	if r := decode[pull.Result](t, out); len(r.ClassNumbers) != 5 || r.ClassNumbers[0].Class != "Epic" || r.ClassNumbers[0].Before != nil || *r.ClassNumbers[0].After != 1 {
		t.Errorf("class_numbers %+v", r.ClassNumbers)
	}
	_, logs = w.run(0, "pull", "frames")
	if logs != "" {
		t.Errorf("pulled again, and said:\n%s", logs)
	}
	_, logs = w.run(1, "pull", "--version", "1", "frames") // Epic's frames remain
	says(t, logs, `Class numbers in frames change: Epic 1 → gone, Junk 2 → 1`)
}
