package dashboard

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
)

func (w *world) imageOf(i int) string { return sourceKey(dataset.FrameAt(e1, i)) }

// Only the frames in the datasets and in their episode's folder can be read as images, and nothing
// else in the bucket.
func TestCheckImage(t *testing.T) {
	const file = "TT_S01_E01_FRM-00-00-08-12.jpg"
	for key, want := range map[string]bool{
		"tt/ML/train/Rare/" + file:                           true,
		"tt/ML/train/" + file:                                true,
		"tt/ML/old set/Raer+%/" + file:                       true,
		"tt/s01e01/default_eng/v1/frames/thumbnails/" + file: true,
		"tt/S01E01/" + file:                                  true,
		"elsewhere/s01e01/frames/" + file:                    true, // a sheet may name it

		"": false,
		"tt/s01e02/default_eng/v1/frames/" + file:  false, // of another episode
		"tt/frames/" + file:                        false, // of no episode
		"s01e01" + file:                            false,
		"tt/ML/train/Rare/deep/s01e01/" + file:     false,
		"tt/ML/s01e01.jpg":                         false,
		"tt/shuffle/s01e01/" + file:                false,
		"tt/manifests/s01e01/" + file:              false,
		"tt/shuffle/current.json":                  false,
		"tt/manifests/S01-episodes.json":           false,
		"tt/s01e01/secret.jpg":                     false,
		"tt/s01e01/../shuffle/" + file:             false,
		"tt/s01e01//" + file:                       false,
		"/tt/s01e01/" + file:                       false,
		`tt\s01e01\` + file:                        false,
		"tt/s01e01/" + file + "\x00":               false,
		"tt/s01e01/TT_S01_E01_FRM-00-00-08-12.png": false,
		"tt/s01e01/TT_S01_E01_FRM-00-00-08-12":     false,
	} {
		if got := checkImage(layout, key) == nil; got != want {
			t.Errorf("%q: %t, expected %t", key, got, want)
		}
	}
}

func TestImages(t *testing.T) {
	w := newWorld(t, 3)
	key, odd := w.imageOf(0), layout.Key(dataset.Place{Dataset: "train", Class: "a +%#?ü"}, dataset.FrameAt(e1, 0))
	w.put(key, w.jpeg)
	w.put(odd, w.jpeg)
	w.put(w.imageOf(1), []byte("<!doctype html><script>alert(1)</script>"))
	w.put(w.imageOf(2), append(w.jpeg[:len(w.jpeg):len(w.jpeg)], make([]byte, maxImage)...))
	w.put(layout.State()+"secret.jpg", w.jpeg)

	for _, k := range []string{key, odd} {
		answer := w.get(page.ImagePath(k))
		if answer.Code != http.StatusOK || !bytes.Equal(answer.Body.Bytes(), w.jpeg) || answer.Header().Get("Content-Type") != "image/jpeg" {
			t.Errorf("%s: status %d, %d bytes of %s", k, answer.Code, answer.Body.Len(), answer.Header().Get("Content-Type"))
		}
	}
	again := w.ask("GET", page.ImagePath(key), func(r *http.Request) { r.Header.Set("If-None-Match", w.get(page.ImagePath(key)).Header().Get("ETag")) })
	if w.expect(again, http.StatusNotModified); again.Body.Len() > 0 {
		t.Errorf("an image that has not changed comes with %d bytes", again.Body.Len())
	}
	w.expect(w.get(page.ImagePath(w.imageOf(1))), http.StatusUnsupportedMediaType, "not an image")
	w.expect(w.get(page.ImagePath(w.imageOf(2))), http.StatusUnsupportedMediaType, "longer than")
	w.expect(w.get(page.ImagePath(w.imageOf(3))), http.StatusNotFound)
	w.expect(w.get(page.ImagePath(layout.State()+"secret.jpg")), http.StatusNotFound, "not the key of a frame")
	w.expect(w.get("/images/tt/s01e01/..%2f..%2fshuffle%2fcurrent.json"), http.StatusNotFound)
	w.bucket.fail(errBroken)
	w.expect(w.get(page.ImagePath(key)), http.StatusBadGateway)
}

// The files of a run are downloaded, never displayed: the server does not control their content.
func TestFiles(t *testing.T) {
	w := newWorld(t, 3)
	w.expect(w.get("/runs/"+runName+"/report.html"), http.StatusNotFound)
	w.put(layout.State()+state.RunName(runName, state.PageName), []byte("<script>alert(1)</script>"))
	answer := w.get("/runs/" + runName + "/report.html")
	w.expect(answer, http.StatusOK, "<script>")
	if got := answer.Header().Get("Content-Disposition"); got != `attachment; filename="report.html"` {
		t.Errorf("Content-Disposition %q", got)
	}
	for _, path := range []string{"/plan.json", "/ledger.json", "/current.json", "/..%2freport.html"} {
		w.expect(w.get("/runs/"+runName+path), http.StatusNotFound)
	}
	w.expect(w.get("/runs/..%2f..%2fx/report.html"), http.StatusNotFound)
}

func TestAssets(t *testing.T) {
	w := newWorld(t, 3)
	for name, kind := range map[string]string{"style.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		answer := w.get("/assets/" + page.Version + "/" + name)
		if w.expect(answer, http.StatusOK); answer.Header().Get("Content-Type") != kind || answer.Body.Len() == 0 {
			t.Errorf("%s: %q, %d bytes", name, answer.Header().Get("Content-Type"), answer.Body.Len())
		}
	}
	w.expect(w.get("/assets/"+page.Version+"/page.go"), http.StatusNotFound)
}
