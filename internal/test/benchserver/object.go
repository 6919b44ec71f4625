package benchserver

import (
	"bytes"
	"crypto/rand"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

func answerGet(w http.ResponseWriter, r *http.Request, b *store, key string) *refusal {
	o := b.get(key)
	if o == nil {
		return noSuchKey
	}
	h := w.Header()
	h["Etag"] = []string{o.etag}
	if r.Header.Get("If-None-Match") == o.etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Last-Modified", o.modified.Format(http.TimeFormat))
	h.Set("Content-Type", "binary/octet-stream")
	if r.Header.Get("Range") != "" {
		http.ServeContent(w, r, "", o.modified, bytes.NewReader(o.body))
		return nil
	}
	h.Set("Content-Length", strconv.Itoa(len(o.body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(o.body) // a client that has disconnected gets no answer
	}
	return nil
}

// maxPut is S3's limit for the body of a PutObject.
const maxPut = 5 << 30

func (s *Server) answerPut(w http.ResponseWriter, r *http.Request, b *store, key string) *refusal {
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") || len(r.URL.RawQuery) > 0 && r.URL.Query().Has("uploadId") {
		return notImplemented // the body is not the whole object: it is in chunks, or a part
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPut))
	if err != nil {
		return &refusal{http.StatusBadRequest, "IncompleteBody", err.Error()}
	}
	if s.mayWrite(1) == 0 {
		return slowDown
	}
	o := newObject(body)
	if no := b.put(key, o, condition{r.Header.Get("If-Match"), r.Header.Get("If-None-Match")}); no != nil {
		return no
	}
	s.count.put(len(body))
	w.Header()["Etag"] = []string{o.etag}
	return nil
}

func (s *Server) answerCopy(w http.ResponseWriter, r *http.Request, b *store, key string) *refusal {
	o, no := s.source(r)
	if no != nil {
		return no
	}
	if s.mayWrite(1) == 0 {
		return slowDown
	}
	copied := &object{body: o.body, etag: o.etag, modified: time.Now().UTC()}
	if s.options.Load().OwnETags {
		copied.etag = `"` + strings.ToLower(rand.Text()) + `"`
	}
	if no := b.put(key, copied, condition{r.Header.Get("If-Match"), r.Header.Get("If-None-Match")}); no != nil {
		return no
	}
	body := append([]byte(`<CopyObjectResult xmlns="`+xmlSpace+`"><LastModified>`), copied.modified.Format(xmlTime)...)
	body = append(append(append(body, "</LastModified><ETag>"...), copied.etag...), "</ETag></CopyObjectResult>"...)
	answerXML(w, http.StatusOK, body)
	return nil
}

// source returns the source object of a copy.
func (s *Server) source(r *http.Request) (*object, *refusal) {
	source := r.Header.Get("X-Amz-Copy-Source")
	if strings.ContainsAny(source, "%+") {
		decoded, err := url.QueryUnescape(source)
		if err != nil {
			return nil, &refusal{http.StatusBadRequest, "InvalidArgument", "Copy Source must mention the source bucket and key: " + err.Error()}
		}
		source = decoded
	}
	source = strings.TrimPrefix(source, "/")
	name, key, _ := strings.Cut(source, "/")
	b := s.bucket(name)
	if b == nil {
		return nil, noSuchBucket
	}
	o := b.get(key)
	match := r.Header.Get("X-Amz-Copy-Source-If-Match")
	switch {
	case o == nil:
		return nil, noSuchKey
	case match != "" && match != o.etag:
		return nil, preconditionFailed
	case r.URL.Path[1:] == source && r.Header.Get("X-Amz-Metadata-Directive") != "REPLACE":
		return nil, &refusal{http.StatusBadRequest, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself"}
	}
	return o, nil
}

func (s *Server) answerDelete(w http.ResponseWriter, b *store, key string) *refusal {
	if s.mayWrite(1) == 0 {
		return slowDown
	}
	b.delete(key)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// maxDelete is S3's limit for the keys of one DeleteObjects.
const maxDelete = 1000

// answerDeletes deletes as many keys as the limit grants. When it grants some, each other key has
// an error; when it grants none, the whole request fails.
func (s *Server) answerDeletes(w http.ResponseWriter, r *http.Request, b *store) *refusal {
	var request struct {
		Objects []struct{ Key string } `xml:"Object"`
		Quiet   bool
	}
	if err := xml.NewDecoder(r.Body).Decode(&request); err != nil || len(request.Objects) == 0 || len(request.Objects) > maxDelete {
		return malformedXML
	}
	granted := s.mayWrite(len(request.Objects))
	if granted == 0 {
		return slowDown
	}
	body := []byte(`<DeleteResult xmlns="` + xmlSpace + `">`)
	keys := make([]string, granted)
	for i, o := range request.Objects {
		switch {
		case i >= granted:
			body = appendError(body, slowDown, o.Key)
		case request.Quiet:
			keys[i] = o.Key
		default:
			keys[i] = o.Key
			body = appendElement(append(body, "<Deleted>"...), "Key", o.Key)
			body = append(body, "</Deleted>"...)
		}
	}
	b.delete(keys...)
	answerXML(w, http.StatusOK, append(body, "</DeleteResult>"...))
	return nil
}
