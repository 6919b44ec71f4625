package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/season"
)

// wantedFrames are the frames of an episode with a class and an image, in order.
func wantedFrames(e *season.Episode) []dataset.Frame {
	classes, _ := e.Wanted()
	return slices.Sorted(maps.Keys(classes))
}

// spoilers are objects that replace an image, with the report of a plan about each.
var spoilers = []struct {
	name  string
	says  string
	spoil func(w *world, image string)
}{
	{"empty", `the source image is empty \(0 bytes\)`, func(w *world, image string) { w.must(os.WriteFile(image, nil, 0o600)) }},
	{"JPG", `a file with the ending ".JPG"`, func(w *world, image string) { w.must(os.Rename(image, strings.TrimSuffix(image, ".jpg")+".JPG")) }},
	{"jpeg", `a file with the ending ".jpeg"`, func(w *world, image string) { w.must(os.Rename(image, strings.TrimSuffix(image, ".jpg")+".jpeg")) }},
	{"png", `a file with the ending ".png"`, func(w *world, image string) { w.must(os.Rename(image, strings.TrimSuffix(image, ".jpg")+".png")) }},
	{"lower case", `a file with the name "tt_s01_e01_`, func(w *world, image string) {
		w.must(os.Rename(image, filepath.Join(filepath.Dir(image), strings.ToLower(filepath.Base(image)))))
	}},
	{"link", "the source image is a symbolic link", func(w *world, image string) {
		w.must(os.Rename(image, image+".elsewhere"))
		w.must(os.Symlink(image+".elsewhere", image))
	}},
	{"broken link", "the source image is a symbolic link", func(w *world, image string) {
		w.must(os.Remove(image))
		w.must(os.Symlink("nowhere", image))
	}},
	{"pipe", "the source image is a named pipe", func(w *world, image string) {
		w.must(os.Remove(image))
		w.must(syscall.Mkfifo(image, 0o600))
	}},
	{"empty folder", "the source image is an empty folder", func(w *world, image string) {
		w.must(os.Remove(image))
		w.must(os.Mkdir(image, 0o700))
	}},
	{"folder", "the source image is a folder", func(w *world, image string) {
		w.must(os.Remove(image))
		w.must(os.Mkdir(image, 0o700))
		w.must(os.WriteFile(filepath.Join(image, "x.jpg"), []byte("x"), 0o600))
	}},
}

// shuffle plan, work, track, why: a frame whose image cannot be copied does not change, and the
// problem names the object that was found.
func TestUnusableImages(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 120})
	w.finish(w.wanted())
	e := w.episode(0)
	frames := wantedFrames(e)
	for i, s := range spoilers {
		s.spoil(w, w.image(e, frames[i]))
	}
	w.must(os.WriteFile(strings.TrimSuffix(w.image(e, frames[50]), ".jpg")+".JPG", []byte("beside"), 0o600))
	untouched(t, w.ml(), func() {
		plan := w.plan(0)
		if plan.Totals.Frozen != len(spoilers) || plan.Tasks != 0 || plan.Totals.Keep != len(frames)-len(spoilers) {
			t.Errorf("totals %+v", plan.Totals)
		}
		problems := map[string]string{}
		for _, p := range plan.Episodes[0].Problems {
			problems[p.Frame] += p.Problem
			if p.Warning != (p.Frame == string(frames[50])) || p.Row == 0 {
				t.Errorf("problem %+v", p)
			}
		}
		for i, s := range spoilers {
			says(t, problems[string(frames[i])], s.says)
		}
		says(t, problems[string(frames[50])], `beside the source image there is one with the ending ".JPG"`)
		out, _ := w.run(0, "why", string(frames[0]))
		says(t, out, `the source image is empty \(0 bytes\)`)
	})
	for i := range spoilers { // repaired, with other images than before
		w.must(os.RemoveAll(w.image(e, frames[i])))
	}
	w.draw(e, frames[:len(spoilers)])
	w.finish(len(spoilers))
	w.checkDatasets()
}

// An episode without a single usable image is held, and the reason names the objects that were
// found.
func TestImagesOfAnotherEnding(t *testing.T) {
	t.Parallel()
	for name, rename := range map[string]func(string) string{
		`3\d × .*the ending ".JPG"`: func(image string) string { return strings.TrimSuffix(image, ".jpg") + ".JPG" },
		`1 × .*the name "tt_s01_e01_`: func(image string) string {
			return filepath.Join(filepath.Dir(image), strings.ToLower(filepath.Base(image)))
		},
	} {
		w := generated(t, season.Options{Episodes: 1, Frames: 36})
		w.finish(w.wanted())
		e := w.episode(0)
		for _, f := range e.Images {
			w.must(os.Rename(w.image(e, f), rename(w.image(e, f))))
		}
		untouched(t, w.ml(), func() {
			plan := w.plan(1)
			if held := plan.Held(); len(held) != 1 || plan.Tasks != 0 {
				t.Fatalf("held %+v, %d tasks", held, plan.Tasks)
			}
			says(t, plan.Held()[0].Reason, "found none that can be copied .*"+name)
		})
	}
}

// shuffle plan, verify, doctor: keys below ML/ that are not frames of a dataset are counted, named,
// and not changed.
func TestStrays(t *testing.T) {
	t.Parallel()
	w := generated(t, season.Options{Episodes: 1, Frames: 60})
	w.finish(w.wanted())
	out, _ := w.run(0, "verify")
	if plan := w.plan(0); plan.Strays != nil || strings.Contains(out, "Strays") {
		t.Errorf("a clean folder has strays: %+v\n%s", plan.Strays, out)
	}
	f := wantedFrames(w.episode(0))[0].File()
	strays := []string{
		"notes.txt", "pred/Rare/" + f, "pred/Junk/" + f, "train/Common/" + strings.ToUpper(f), "train/Common/sub/" + f,
		"train/Common/" + strings.TrimSuffix(f, ".jpg") + ".png", "train/labels.csv", "validate/a/b/c/" + f,
	}
	for _, name := range strays {
		w.put(w.ml(name), "stray")
	}
	w.must(os.Symlink("nowhere", w.ml("train", "Common", "link.jpg")))
	w.must(os.MkdirAll(w.ml("empty"), 0o700)) // an empty folder has no effect
	named := append(slices.Clone(strays), "train/Common/link.jpg (a symbolic link)")
	for i := range named {
		named[i] = "tuttle_twins/ML/" + named[i]
	}
	slices.Sort(named)
	untouched(t, w.ml(), func() {
		plan := w.plan(0)
		if plan.Tasks != 0 || plan.Strays == nil || plan.Strays.Count != len(named) || !slices.Equal(plan.Strays.Examples, named) {
			t.Errorf("plan: %d tasks, %+v, expected %q", plan.Tasks, plan.Strays, named)
		}
		out, _ := w.run(0, "plan", "--dry-run")
		says(t, out, `Strays: 9 keys below ML/ not part of any dataset, not changed .*"tuttle_twins/ML/pred/Rare/`+f+`"`)
		out, _ = w.run(0, "verify")
		says(t, out, `Strays: 9 keys .*"tuttle_twins/ML/train/Common/sub/`+f+`".* no difference`)
		out, _ = w.run(0, "verify", "--json")
		v := decode[struct {
			Differences int
			Strays      dataset.StrayCount
		}](t, out)
		if v.Differences != 0 || v.Strays.Count != len(named) || !slices.Equal(v.Strays.Examples, named) {
			t.Errorf("verify: %+v", v)
		}
		out, _ = w.run(0, "doctor")
		says(t, out, `! keys below tuttle_twins/ML/ .*9 keys below ML/ not part of any dataset, not changed, such as .*pred/Junk`)
	})
	w.episode(0).Relabel(3)
	w.save(w.episode(0))
	w.finish(3)
	out, _ = w.run(0, "verify")
	says(t, out, "Strays: 9 keys .* no difference: the datasets equal run")
}

// An S3 whose answers do not fit the requests: the command ends at once, reports the answer, and
// has written nothing.
func TestWrongAnswersOfS3(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ answer, says string }{
		"a web page":   {"<!DOCTYPE html><html><body>Sign in</body></html>", "the answer is <html>, expected <ListBucketResult>"},
		"another key":  {"<ListBucketResult><Contents><Key>x</Key><ETag>e</ETag><Size>1</Size></Contents></ListBucketResult>", `the key "x", which does not begin with the prefix "tuttle_twins/`},
		"without end":  {"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>", "the same continuation token again"},
		"other bucket": {"<ListBucketResult><Name>other</Name></ListBucketResult>", `lists the bucket \\?"other\\?"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				if r.URL.Query().Get("list-type") == "" { // a read of one key: it does not exist
					rw.WriteHeader(http.StatusNotFound)
					return
				}
				_, _ = rw.Write([]byte(test.answer))
			}))
			defer server.Close()
			w := newWorld(t)
			w.env = append(w.env, "AWS_ENDPOINT_URL="+server.URL, "AWS_REGION=us-west-2", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
			_, logs := w.command("--sheets", "file://"+filepath.ToSlash(w.work), "plan", "--dry-run").wait(1)
			says(t, logs, test.says)
		})
	}
}
