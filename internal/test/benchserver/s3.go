package benchserver

import (
	"net/http"
	"strings"
	"time"
)

// refusal is an error of S3.
type refusal struct {
	status  int
	code    string
	message string
}

var (
	preconditionFailed = &refusal{http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"}
	noSuchKey          = &refusal{http.StatusNotFound, "NoSuchKey", "The specified key does not exist."}
	noSuchBucket       = &refusal{http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"}
	slowDown           = &refusal{http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate."}
	malformedXML       = &refusal{http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"}
	notImplemented     = &refusal{http.StatusNotImplemented, "NotImplemented", "A header or query you provided implies functionality that is not implemented"}
)

// s3Operation is the name of the request in S3's documentation.
func s3Operation(r *http.Request) string {
	_, key, _ := strings.Cut(r.URL.Path[1:], "/")
	of := func(bucket, object string) string {
		if key == "" {
			return bucket
		}
		return object
	}
	switch r.Method {
	case http.MethodGet:
		return of("ListObjectsV2", "GetObject")
	case http.MethodHead:
		return of("HeadBucket", "HeadObject")
	case http.MethodDelete:
		return of("DeleteBucket", "DeleteObject")
	case http.MethodPost:
		return of("DeleteObjects", "")
	case http.MethodPut:
		if r.Header.Get("X-Amz-Copy-Source") != "" {
			return of("", "CopyObject")
		}
		return of("CreateBucket", "PutObject")
	}
	return ""
}

func (s *Server) serveS3(w http.ResponseWriter, r *http.Request, operation string) {
	if err := s.wait(r.Context(), medianOf(operation)); err != nil {
		return // the client has disconnected
	}
	name, key, _ := strings.Cut(r.URL.Path[1:], "/")
	b := s.bucket(name)
	if operation == "CreateBucket" {
		s.answerCreate(w, name)
		return
	}
	if b == nil {
		noSuchBucket.answer(w, r)
		return
	}
	if no := s.serveObjects(w, r, operation, b, key); no != nil {
		no.answer(w, r)
	}
}

// serveObjects answers a request to an existing bucket, or returns a refusal.
func (s *Server) serveObjects(w http.ResponseWriter, r *http.Request, operation string, b *store, key string) *refusal {
	switch operation {
	case "ListObjectsV2":
		return answerList(w, r, b)
	case "HeadBucket":
		return nil
	case "GetObject", "HeadObject":
		return answerGet(w, r, b, key)
	case "PutObject":
		return s.answerPut(w, r, b, key)
	case "CopyObject":
		return s.answerCopy(w, r, b, key)
	case "DeleteObject":
		return s.answerDelete(w, b, key)
	case "DeleteObjects":
		return s.answerDeletes(w, r, b)
	case "DeleteBucket":
		return s.answerDeleteBucket(w, r, b)
	}
	return notImplemented
}

func medianOf(operation string) func(*Options) *Latency {
	switch operation {
	case "ListObjectsV2":
		return func(o *Options) *Latency { return &o.List }
	case "PutObject", "CopyObject", "DeleteObject", "DeleteObjects":
		return func(o *Options) *Latency { return &o.Write }
	}
	return func(o *Options) *Latency { return &o.Read }
}

// mayWrite returns how many of the wanted writes the limit grants.
func (s *Server) mayWrite(wanted int) int {
	now := time.Now()
	granted := s.writes.take(now, wanted)
	s.count.wrote(now, granted, wanted-granted)
	return granted
}

func (no *refusal) answer(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead || no.status == http.StatusNotModified {
		w.WriteHeader(no.status)
		return
	}
	answerXML(w, no.status, appendError(nil, no, ""))
}

func answerXML(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	// A client that has disconnected gets no answer.
	_, _ = w.Write(append([]byte(xmlHeader), body...)) //nolint:gosec // Escaped XML.
}

func (s *Server) answerCreate(w http.ResponseWriter, name string) {
	if !s.createBucket(name) {
		answerXML(w, http.StatusConflict, appendError(nil, &refusal{code: "BucketAlreadyOwnedByYou"}, ""))
		return
	}
	w.Header().Set("Location", "/"+name)
}

func (s *Server) answerDeleteBucket(w http.ResponseWriter, r *http.Request, b *store) *refusal {
	if !b.empty() {
		return &refusal{http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.buckets, strings.Trim(r.URL.Path, "/"))
	w.WriteHeader(http.StatusNoContent)
	return nil
}
