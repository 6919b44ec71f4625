package dashboard

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
)

const (
	// maxImage limits the size of an image in bytes; thumbnails have a few thousand.
	maxImage = 16 << 20
	// maxImageReads limits the images that are read at a time.
	maxImageReads = 32
	// sniffed is the number of bytes that http.DetectContentType uses.
	sniffed = 512
)

var (
	errNoImage = errors.New("not an image")
	errTooLong = fmt.Errorf("longer than %d bytes", maxImage)
)

// checkImage checks the key of every image before it is read. Allowed are a frame in a dataset, and
// a frame's source image in a folder of its episode. Everything else is refused, such as manifests
// and the program's own objects.
func checkImage(l dataset.Layout, key string) error {
	if err := dataset.CheckKey(key); err != nil {
		return err
	}
	if _, _, ok := l.Parse(key); ok {
		return nil
	}
	name, _ := strings.CutSuffix(path.Base(key), path.Ext(key))
	f, err := dataset.ParseFrame(name)
	if err != nil {
		return err
	}
	if err := l.CheckSource(key, f); err != nil {
		return err
	}
	for folder := range strings.SplitSeq(path.Dir(key), "/") {
		if e, err := dataset.ParseEpisodeFlag(folder); err == nil && e == f.Episode() {
			return nil
		}
	}
	return fmt.Errorf("key %.200q is not in a folder of %s", key, f.Episode())
}

// openImage opens the image of a checked key. Its first bytes must be those of a JPEG, so that no
// other content is ever sent.
func openImage(ctx context.Context, b Bucket, key string) (io.ReadCloser, bucket.Object, error) {
	r, o, err := b.OpenObject(ctx, key)
	if err != nil {
		return nil, o, err
	}
	if o.Size > maxImage {
		return nil, o, errors.Join(errTooLong, r.Close())
	}
	head := make([]byte, sniffed)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, o, errors.Join(err, r.Close())
	}
	if http.DetectContentType(head[:n]) != imageType {
		return nil, o, errors.Join(errNoImage, r.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(strings.NewReader(string(head[:n])), io.LimitReader(r, maxImage-int64(n))), r}, o, nil
}

const imageType = "image/jpeg"

// serveImage sends an image.
func (d *dashboard) serveImage(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	if checkImage(d.Store.Layout, key) != nil {
		http.Error(w, "This is not the key of a frame.", http.StatusNotFound)
		return
	}
	select {
	case d.imageSlots <- struct{}{}:
		defer func() { <-d.imageSlots }()
	case <-r.Context().Done():
		return
	}
	body, o, err := openImage(r.Context(), d.Bucket, key)
	switch {
	case errors.Is(err, bucket.ErrNotFound):
		http.Error(w, "There is no such image.", http.StatusNotFound)
		return
	case errors.Is(err, errNoImage), errors.Is(err, errTooLong):
		http.Error(w, "The object is "+err.Error()+".", http.StatusUnsupportedMediaType)
		return
	case err != nil:
		http.Error(w, "The bucket could not be read.", http.StatusBadGateway)
		return
	}
	defer body.Close() //nolint:errcheck // It was only read.
	h := w.Header()
	h.Set("Content-Type", imageType)
	h.Set("Cache-Control", "private, no-cache") // an image may change; then its ETag changes
	h.Set("ETag", `"`+o.ETag+`"`)
	if r.Header.Get("If-None-Match") == `"`+o.ETag+`"` {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = io.Copy(w, body) // to a visitor, who may have left
}

// imageURL is the address of an image, "" for a key that cannot be read.
func imageURL(l dataset.Layout, key string) template.URL {
	if checkImage(l, key) != nil {
		return ""
	}
	return template.URL(page.ImagePath(key)) //nolint:gosec // ImagePath escapes it.
}

// serveAsset sends a style, script or icon. The address contains the version.
func serveAsset(w http.ResponseWriter, r *http.Request) {
	types := map[string][2]string{
		"style.css": {page.Style, "text/css; charset=utf-8"}, "app.js": {page.Script, "text/javascript; charset=utf-8"},
		"icon.svg": {page.Icon, "image/svg+xml"},
	}
	a, ok := types[r.PathValue("name")]
	if !ok || r.PathValue("version") != page.Version {
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", a[1])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = io.WriteString(w, a[0]) // to a visitor, who may have left
}

// serveRunFile sends a file of a run as a download. The browser must not show it in this origin,
// since anybody who can write to the bucket may have changed it.
func (d *dashboard) serveRunFile(w http.ResponseWriter, r *http.Request) {
	types := map[string]string{state.PageName: "text/html; charset=utf-8", state.TasksName: "text/csv; charset=utf-8"}
	run, name := r.PathValue("run"), r.PathValue("file")
	if types[name] == "" || !state.ValidRun(run) {
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	}
	body, o, err := d.Bucket.OpenObject(r.Context(), d.Store.Layout.State()+state.RunName(run, name))
	if err != nil {
		http.Error(w, "The run has no "+name+", or it could not be read.", http.StatusNotFound)
		return
	}
	defer body.Close() //nolint:errcheck // It was only read.
	w.Header().Set("Content-Type", types[name])
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Content-Length", fmt.Sprint(o.Size))
	_, _ = io.Copy(w, body) // to a visitor, who may have left
}
