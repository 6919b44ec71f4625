package main

import (
	"bytes"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// wireImages: archived and empty images freeze their frames, so relabelling them has no effect.
// Keys with empty segments are strays.
func wireImages(w *wire) {
	w.first()
	e := w.season.Episodes[0]
	frames := e.Relabel(4)
	w.writeSheets()
	classes := []types.StorageClass{types.StorageClassGlacier, types.StorageClassDeepArchive, types.StorageClassGlacierIr}
	for i, class := range classes {
		key := e.ImagePrefix() + frames[i].File()
		if _, err := w.s3.PutObject(w.t.Context(), &s3.PutObjectInput{Bucket: &w.bucket, Key: &key, Body: bytes.NewReader(w.get(key)), StorageClass: class}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.put(e.ImagePrefix()+frames[3].File(), nil)
	strays := []string{mlFolder + "pred/Rare/" + frames[0].File(), mlFolder + "train//" + frames[0].File(), mlFolder + "train/Rare//" + frames[0].File()}
	for _, key := range strays {
		w.put(key, []byte("stray"))
	}
	before := w.list()
	plan := w.plan(0, "--dry-run")
	if plan.Totals.Frozen != 3 || plan.Totals.Move != 1 || plan.Tasks != 1 {
		w.t.Errorf("totals %+v", plan.Totals)
	}
	for i, what := range []string{"storage class GLACIER)", "storage class DEEP_ARCHIVE)", "", "empty (0 bytes)"} {
		said := ""
		for _, p := range plan.Episodes[0].Problems {
			if p.Frame == string(frames[i]) {
				said += p.Problem
			}
		}
		if (said == "") != (what == "") || !strings.Contains(said, what) {
			w.t.Errorf("%s: %q, expected %q", frames[i], said, what)
		}
	}
	if s := plan.Strays; s == nil || s.Count != 3 || !slices.Equal(s.Examples, strays) {
		w.t.Errorf("strays %+v", plan.Strays)
	}
	if s := w.status(0, "run"); s.Tasks != 1 || s.Done != 1 {
		w.t.Errorf("run: %+v", s)
	}
	after := w.list()
	for key := range before {
		f, ok := frameAt(key)
		if moved := ok && f == frames[2]; !moved && strings.HasPrefix(key, mlFolder) && after[key] != before[key] {
			w.t.Errorf("%s has changed", key)
		}
	}
	var v struct {
		Differences int
		Strays      dataset.StrayCount
	}
	if w.read(&v, 0, "verify", "--json"); v.Differences != 0 || !slices.Equal(v.Strays.Examples, strays) {
		w.t.Errorf("verify: %+v", v)
	}
}
