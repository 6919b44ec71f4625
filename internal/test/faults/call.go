package faults

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// call is one request while a front handles it.
type call struct {
	front *Front
	w     http.ResponseWriter
	r     *http.Request
	q     *Request
	rand  *rand.Rand // the random numbers of the fault
	log   int        // the entry in the front's log
}

// maxHold is longer than the timeout of any client.
const maxHold = 2 * time.Minute

// serve executes the request, or applies the rule.
func (c *call) serve(rule *Rule) {
	c.shrinkPage()
	if rule == nil {
		c.answer(c.carryOut())
		return
	}
	switch rule.Kind {
	case Cut, Outage:
		c.cut()
	case Hang:
		c.wait(maxHold)
		c.cut()
	case Slow:
		delay := rule.Delay
		if delay == 0 {
			delay = c.upTo(3 * time.Second)
		}
		if c.wait(delay) {
			c.answer(c.carryOut())
		}
	case Aged:
		a := c.carryOut()
		if t, err := http.ParseTime(a.header.Get("Last-Modified")); err == nil {
			a.header.Set("Last-Modified", t.Add(-rule.Delay).Format(http.TimeFormat))
		}
		c.answer(a)
	case Foreign:
		a := c.carryOut()
		foreign := "<Contents><Key>zzz/of-nobody.jpg</Key><LastModified>2026-11-23T21:24:43.000Z</LastModified><ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag><Size>1</Size></Contents></ListBucketResult>"
		body := strings.Replace(a.body.String(), "</ListBucketResult>", foreign, 1)
		a.body.Reset()
		a.body.WriteString(body)
		a.header.Del("Content-Length")
		c.answer(a)
	case AppliedError:
		c.carryOut()
		c.refuse(InternalError)
	case AppliedCut, LostReceive:
		c.carryOut()
		c.cut()
	case Crash:
		rule.Do(*c.q)
		c.cut()
	case CrashAfter:
		c.carryOut()
		rule.Do(*c.q)
		c.cut()
	case Event:
		rule.Do(*c.q)
		c.answer(c.carryOut())
	case FailedEntries, Duplicated, Delayed, LostDelete, Redelivered, Reordered, WrongCounts:
		c.messages(rule.Kind)
	case Truncated, FewerRows, NoValues:
		c.spoil(rule.Kind)
	default:
		c.refuse(rule.Kind)
	}
}

func (c *call) carryOut() *answer { return c.front.carryOut(c.q, c.r) }

// upTo draws a time of at least a tenth of the longest.
func (c *call) upTo(longest time.Duration) time.Duration {
	return longest/10 + time.Duration(c.rand.Float64()*float64(longest*9/10))
}

// wait reports whether the client is still connected after the wait.
func (c *call) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.r.Context().Done():
		return false
	}
}

// cut closes the connection without an answer.
func (c *call) cut() { panic(http.ErrAbortHandler) }

// answer sends the server's answer to the client, with the clock that the client should see.
func (c *call) answer(a *answer) {
	c.front.ended(c.log, a.status)
	h := c.w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	by := c.front.skewOf(c.q.From)
	h.Set("Date", time.Now().Add(by).UTC().Format(http.TimeFormat))
	if t, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		h.Set("Last-Modified", t.Add(by).UTC().Format(http.TimeFormat))
	}
	c.w.WriteHeader(a.status)
	_, _ = c.w.Write(a.body.Bytes()) // a client that has disconnected gets no answer
}

// shrinkPage gives the listings of a small world many pages.
func (c *call) shrinkPage() {
	if c.q.Op != "ListObjectsV2" || c.front.PageSize == 0 {
		return
	}
	query := c.r.URL.Query()
	if n, err := strconv.Atoi(query.Get("max-keys")); err == nil && n < c.front.PageSize {
		return
	}
	query.Set("max-keys", strconv.Itoa(c.front.PageSize))
	c.r.URL.RawQuery = query.Encode()
}

// refusals are S3's errors; SQS has its own names for two of them.
var refusals = map[Kind]struct {
	status    int
	code, sqs string
}{
	InternalError: {http.StatusInternalServerError, "InternalError", "InternalFailure"},
	SlowDown:      {http.StatusServiceUnavailable, "SlowDown", "RequestThrottled"},
	Denied:        {http.StatusForbidden, "AccessDenied", "AccessDeniedException"},
	NotFound:      {http.StatusNotFound, "NoSuchKey", ""},
	Conflict:      {http.StatusConflict, "ConditionalRequestConflict", ""},
	Precondition:  {http.StatusPreconditionFailed, "PreconditionFailed", ""},
	Skewed:        {http.StatusForbidden, "RequestTimeTooSkewed", "InvalidSignatureException"},
	Quota:         {http.StatusTooManyRequests, "", ""},
}

func (c *call) refuse(k Kind) {
	no := refusals[k]
	if c.q.isSheets() {
		c.refuseSheets(no.status)
		return
	}
	a := &answer{status: no.status, header: http.Header{}}
	if c.q.isSQS() {
		if a.status < http.StatusInternalServerError || k == SlowDown {
			a.status = http.StatusBadRequest
		}
		a.header.Set("Content-Type", "application/x-amz-json-1.0")
		fmt.Fprintf(&a.body, `{"__type":"com.amazonaws.sqs#%s","message":"injected"}`, no.sqs)
	} else {
		a.header.Set("Content-Type", "application/xml")
		fmt.Fprintf(&a.body, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>injected</Message></Error>`, no.code)
	}
	c.answer(a)
}

// with returns the request with another body.
func (c *call) with(body []byte) *http.Request {
	r := c.r.Clone(c.r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return r
}

// mostSkewed is the largest difference that AWS tolerates between the signing clock and its own
// (Signature Version 4).
const mostSkewed = 15 * time.Minute

// isSkewed reports whether the difference between the client's clock and the server's clock, as
// this client sees it, is too large.
func (c *call) isSkewed() bool {
	signed, err := time.Parse("20060102T150405Z", c.r.Header.Get("X-Amz-Date"))
	return err == nil && time.Now().Add(c.front.skewOf(c.q.From)).Sub(signed).Abs() > mostSkewed
}

func (f *Front) skewOf(from string) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	for prefix, by := range f.skew {
		if strings.HasPrefix(from, prefix) {
			return by
		}
	}
	return 0
}

// note records the number of the next page.
func (f *Front) note(q *Request, a *answer) {
	if q.Op != "ListObjectsV2" {
		return
	}
	_, rest, more := strings.Cut(a.body.String(), "<NextContinuationToken>")
	token, _, _ := strings.Cut(rest, "<")
	if more {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.pages[token] = q.Page + 1
	}
}
