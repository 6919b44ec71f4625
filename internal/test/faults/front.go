package faults

import (
	"bytes"
	"context"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Watcher observes the requests that pass through a Front.
type Watcher interface {
	// Asked is called before a request is executed.
	Asked(Request)
	// Applied is called for each request that changed or listed the bucket, in their order, with
	// the body of the answer.
	Applied(q Request, answer []byte)
}

// Front is an http.Handler in front of S3, SQS and a Sheets API.
type Front struct {
	Seed     uint64
	Latency  time.Duration // added to each request to S3
	PageSize int           // of listings; 0 does not change them
	Watcher  Watcher       // may be nil
	Sheets   http.Handler  // the Sheets API, for requests to SheetsPath

	next  http.Handler
	began time.Time

	order sync.Mutex // held during a write or a listing: the order of Applied

	mu      sync.Mutex
	rules   []*inForce
	skew    map[string]time.Duration
	pages   map[string]int // by continuation token
	entries []entry        // the log
	counts  map[Kind]int
	asked   int

	late atomic.Int64 // number of delayed messages
}

// inForce is a rule with the number of requests that it fitted.
type inForce struct {
	Rule
	number uint64 // number of the rule, from 1
	fitted int
}

// New returns a front of a server. All fields may be set until the first request.
func New(next http.Handler, seed uint64) *Front {
	return &Front{
		Seed: seed, next: next, began: time.Now(),
		skew: map[string]time.Duration{}, pages: map[string]int{}, counts: map[Kind]int{},
	}
}

// Before returns a handler that forwards requests to an endpoint, such as a LocalStack's or that of
// a server in another process.
func Before(endpoint *url.URL) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(endpoint)
		r.Out.Host = r.In.Host // queue URLs contain it
	}, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), http.StatusBadGateway) // usually the client has disconnected
	}}
}

// Add adds rules after the present ones. The first rule that matches a request decides.
func (f *Front) Add(rules ...Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range rules {
		f.rules = append(f.rules, &inForce{Rule: r, number: uint64(len(f.rules)) + 1})
	}
}

// End ends the rules of a kind.
func (f *Front) End(k Kind) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if r.Kind == k {
			r.Kind = ""
		}
	}
}

// InForce reports whether there is a rule of a kind.
func (f *Front) InForce(k Kind) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.rules, func(r *inForce) bool { return r.Kind == k })
}

// Calm removes all rules. Delayed messages are still sent later.
func (f *Front) Calm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		r.Kind = ""
	}
}

// Skew sets the error of the server's clock for the processes whose names have the prefix.
func (f *Front) Skew(from string, by time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.skew[from] = by
}

// Sync returns when the Watcher has been called for every request executed so far.
func (f *Front) Sync() {
	f.order.Lock()
	defer f.order.Unlock()
}

// Late returns the number of delayed messages.
func (f *Front) Late() int { return int(f.late.Load()) }

// Counts returns the numbers of faults so far, by kind.
func (f *Front) Counts() map[Kind]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.counts)
}

// ServeHTTP executes a request, or applies a rule to it.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, err := read(r)
	if err != nil {
		return // the client disconnected in the middle of the request
	}
	c := &call{front: f, w: w, r: r, q: q}
	rule, log := f.admit(c)
	c.log = log
	if !q.isSQS() && !c.wait(f.Latency) {
		return
	}
	c.serve(rule)
}

// admit numbers the request, logs it and looks for a rule that hits it, unless the request is
// refused for its signing time.
func (f *Front) admit(c *call) (*Rule, int) {
	skewed := c.isSkewed()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	c.q.N, c.q.At = f.asked, time.Since(f.began)
	if skewed {
		return &Rule{Kind: Skewed}, f.enter(entry{Request: *c.q, fault: Skewed})
	}
	if token := c.r.URL.Query().Get("continuation-token"); c.q.Op == "ListObjectsV2" && token != "" {
		c.q.Page = f.pages[token]
	}
	var hit *inForce
	for _, r := range f.rules {
		if r.Kind == "" || !r.fits(c.q) {
			continue
		}
		r.fitted++
		if hit == nil && r.hits(r.fitted, f.draw(r).Float64()) {
			hit = r
		}
	}
	if hit == nil {
		return nil, f.enter(entry{Request: *c.q})
	}
	c.rand = f.draw(hit)
	c.rand.Float64() // skip the number that decided
	rule := hit.Rule
	return &rule, f.enter(entry{Request: *c.q, fault: hit.Kind})
}

// enter adds a request to the log, and counts its fault.
func (f *Front) enter(e entry) int {
	if e.fault != "" {
		f.counts[e.fault]++
	}
	f.entries = append(f.entries, e)
	return len(f.entries) - 1
}

// draw returns the random source for the rule and the n-th request that it fits.
func (f *Front) draw(r *inForce) *rand.Rand {
	return rand.New(rand.NewPCG(f.Seed^r.number<<48, uint64(r.fitted)))
}

// answer is a server's answer, buffered until the front has decided on a fault for the client.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
func (a *answer) WriteHeader(status int)      { a.status = status }

// carryOut forwards the request. Requests to the bucket are executed one after the other, and
// completely: a server continues a write after its client has disconnected, and the Watcher must
// see it.
func (f *Front) carryOut(q *Request, r *http.Request) *answer {
	a := &answer{status: http.StatusOK, header: http.Header{}}
	ordered := q.Writes() || q.Op == "ListObjectsV2"
	if ordered {
		f.order.Lock()
		defer f.order.Unlock()
	}
	if r.Context().Err() != nil {
		return a // no client gets it
	}
	if ordered {
		r = r.WithContext(context.WithoutCancel(r.Context()))
	}
	if f.Watcher != nil {
		f.Watcher.Asked(*q)
	}
	f.server(q).ServeHTTP(a, r)
	if ordered && a.status < http.StatusMultipleChoices {
		f.note(q, a)
		if f.Watcher != nil {
			f.Watcher.Applied(*q, a.body.Bytes())
		}
	}
	return a
}
