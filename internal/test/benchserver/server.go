// Package benchserver implements S3 and SQS in memory, over HTTP. It has the parts of both that the
// program and other clients of S3 use, with a configurable latency and limit of writes. It needs so
// little CPU that a client can be measured on the same machine. It passes the contract tests of the
// adapters (buckettest, queuetest). It is for benchmarks and tests of faults: it stores nothing on
// disk and checks no credentials.
//
// It refuses the features that it does not implement: versions, multipart and chunked
// uploads, FIFO queues, delays.
package benchserver

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// Server is one account with its buckets and queues. It is an http.Handler, so another one can wrap
// it and add faults. Buckets are addressed in the path.
type Server struct {
	options atomic.Pointer[Options]
	writes  writeLimit
	count   counters

	mu      sync.Mutex
	buckets map[string]*store
	queues  map[string]*queue
	lastID  atomic.Uint64 // the last message ID
}

// New returns a server without buckets or queues.
func New(o Options) *Server {
	s := &Server{buckets: map[string]*store{}, queues: map[string]*queue{}}
	s.Configure(o)
	return s
}

// Configure changes latency and limit for later requests.
func (s *Server) Configure(o Options) {
	s.options.Store(&o)
	s.writes.set(o.WritesPerSecond)
}

// ServeHTTP answers one request: requests to SQS have a target, all others go to S3.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target, isSQS := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	kind := target
	if !isSQS {
		kind = s3Operation(r)
	}
	done := s.count.begin(kind)
	defer done()
	if isSQS {
		s.serveSQS(w, r, target)
		return
	}
	s.serveS3(w, r, kind)
}

// HTTPServer returns an HTTP server for s that counts connections.
func (s *Server) HTTPServer() *http.Server {
	return &http.Server{Handler: s, ConnState: s.count.connection, ReadHeaderTimeout: headerTimeout}
}

func (s *Server) bucket(name string) *store {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buckets[name]
}

// createBucket reports whether the bucket is new.
func (s *Server) createBucket(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[name] != nil {
		return false
	}
	s.buckets[name] = newStore()
	return true
}

// Fill creates the bucket again, with an object under each key, without requests and latency. An
// object's content is the last part of its key, so a copy with the same name in another folder has
// the same ETag.
func (s *Server) Fill(bucket string, keys []string) {
	b := newStore()
	b.fill(keys)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets[bucket] = b
}

// Add adds objects to an existing bucket, in the same way as Fill.
func (s *Server) Add(bucket string, keys []string) {
	s.bucket(bucket).fill(keys)
}

// Object returns the body of an object. The call is not counted as a request.
func (s *Server) Object(bucket, key string) (body []byte, ok bool) {
	o := s.bucket(bucket).get(key)
	if o == nil {
		return nil, false
	}
	return o.body, true
}

// Messages returns the number of messages in a queue, including invisible ones. It returns 0 when
// there is no such queue.
func (s *Server) Messages(queue string) int {
	q := s.queue(queue)
	if q == nil {
		return 0
	}
	visible, hidden := q.counts()
	return visible + hidden
}

// wait waits for a random latency with this median. It returns an error when the client has
// disconnected.
func (s *Server) wait(ctx context.Context, median func(*Options) *Latency) error {
	return median(s.options.Load()).pass(ctx)
}
