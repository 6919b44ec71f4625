package faults

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// Request is one request as the front parsed it.
type Request struct {
	N    int           // in the order of arrival, from 1
	At   time.Duration // since the front was created
	From string        // the access key ID, which is different for each process of a test
	Op   string        // the name of the call in S3's or SQS's API
	// Key, prefix of a listing, or name of a queue; of DeleteObjects the first key.
	Target      string
	Page        int      // of a listing, from 1
	Conditional bool     // a write with a condition
	Keys        []string // keys that it writes or deletes
	Source      string   // of a copy: bucket and key as in the header
	Body        []byte
}

// String describes the request on one line.
func (r Request) String() string {
	text := fmt.Sprintf("%8.3fs %6d %-10s %s %s", r.At.Seconds(), r.N, r.From, r.Op, r.Target)
	if r.Page > 1 {
		text += fmt.Sprintf(" page %d", r.Page)
	}
	if len(r.Keys) > 1 {
		text += fmt.Sprintf(" and %d more", len(r.Keys)-1)
	}
	return text
}

func (r *Request) isBatch() bool {
	return strings.HasSuffix(r.Op, "MessageBatch") || r.Op == "ChangeMessageVisibilityBatch"
}

func (r *Request) isSQS() bool {
	return r.isBatch() || strings.Contains(r.Op, "Queue") || r.Op == "ReceiveMessage"
}

// Writes reports whether the request changes the bucket.
func (r *Request) Writes() bool {
	switch r.Op {
	case "PutObject", "CopyObject", "DeleteObject", "DeleteObjects":
		return true
	}
	return false
}

// read parses the request, and makes the body readable again.
func read(r *http.Request) (*Request, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	q := &Request{From: accessKey(r), Body: body}
	if q.readSheets(r.URL.Path) {
		return q, nil
	}
	if target, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS."); ok {
		q.Op, q.Target = target, queueOf(body)
		return q, nil
	}
	q.readS3(r)
	return q, nil
}

func (r *Request) readS3(h *http.Request) {
	_, key, _ := strings.Cut(h.URL.Path[1:], "/")
	r.Op, r.Target = operation(h, key), key
	r.Conditional = r.Op == "PutObject" && (h.Header.Get("If-Match") != "" || h.Header.Get("If-None-Match") != "")
	switch r.Op {
	case "ListObjectsV2":
		r.Target, r.Page = h.URL.Query().Get("prefix"), 1
	case "PutObject", "DeleteObject":
		r.Keys = []string{key}
	case "CopyObject":
		r.Keys, r.Source = []string{key}, strings.TrimPrefix(h.Header.Get("X-Amz-Copy-Source"), "/")
	case "DeleteObjects":
		r.Keys = keysIn(r.Body, "Object")
		r.Target = strings.Join(r.Keys[:min(1, len(r.Keys))], "")
	}
}

// operation is S3's name of a request with the bucket in its path.
func operation(r *http.Request, key string) string {
	switch r.Method {
	case http.MethodGet:
		if key == "" {
			return "ListObjectsV2"
		}
		return "GetObject"
	case http.MethodHead:
		return "HeadObject"
	case http.MethodDelete:
		return "DeleteObject"
	case http.MethodPost:
		return "DeleteObjects"
	case http.MethodPut:
		switch {
		case r.Header.Get("X-Amz-Copy-Source") != "":
			return "CopyObject"
		case key == "":
			return "CreateBucket"
		}
		return "PutObject"
	}
	return r.Method
}

// accessKey is the key that signed the request (Signature Version 4): Credential=KEY/20261123/….
func accessKey(r *http.Request) string {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(credential, "/")
	return key
}

func queueOf(body []byte) string {
	var in struct{ QueueUrl, QueueName string }
	if json.Unmarshal(body, &in) != nil {
		return ""
	}
	if in.QueueUrl == "" {
		return in.QueueName
	}
	return path.Base(in.QueueUrl)
}

// keysIn returns the text of the elements with that name, in a DeleteObjects request or its answer.
func keysIn(body []byte, element string) []string {
	var doc struct {
		Objects []struct{ Key string } `xml:"Object"`
		Errors  []struct{ Key string } `xml:"Error"`
	}
	if xml.Unmarshal(body, &doc) != nil {
		return nil
	}
	list := doc.Objects
	if element == "Error" {
		list = doc.Errors
	}
	keys := make([]string, len(list))
	for i, o := range list {
		keys[i] = o.Key
	}
	return slices.Clip(keys)
}
