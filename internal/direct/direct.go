// Package direct makes small requests to S3 and SQS as the AWS SDK does, at a fraction of the CPU.
//
// It takes a request of the SDK's that the service has granted as the model for further ones: same host, same headers, same kind of signature. Of the SDK's
// steps, some fifty in each call, which find all that out anew each time, only the signature is left. And the requests go
// over connections of their own, each in its caller's goroutine: the transport of net/http has two goroutines for each connection and hands every request and
// answer over between three.
//
// The SDK stays the one that knows of endpoints, regions, credentials, kinds of signatures and clocks: no answer, and one that finds fault with how it was
// asked, should make the caller forget the model and ask the SDK.
package direct

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Client makes requests to one service. It is safe for concurrent use.
type Client struct {
	service     string // as signatures have it
	credentials aws.CredentialsProvider
	conns       conns
	keys        signingKeys
	buffers     sync.Pool
	model       atomic.Pointer[Model]
}

// New is a client beside the SDK's with that HTTP client, those credentials and those APIOptions. An answer may take as long as the limit, at most
// until its context's deadline. nil when the HTTP client is not the SDK's own, when somebody wants to have a hand in the requests (APIOptions), or
// when either is set up in a way that is not known here.
func New(service string, client any, credentials aws.CredentialsProvider, options []func(*middleware.Stack) error, limit time.Duration) *Client {
	own, ok := client.(*awshttp.BuildableClient)
	if !ok {
		return nil
	}
	t := own.GetTransport()
	if t.DialTLSContext != nil || credentials == nil || len(options) > 0 {
		return nil
	}
	return &Client{
		service: service, credentials: credentials, conns: conns{transport: t, limit: limit},
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
}

// Model is a request of the SDK's that was granted.
type Model struct {
	method string
	url    url.URL // without what is each request's own
	host   string  // as the header says it
	fields []Field // that all requests have in common
	region string
	skew   time.Duration // of the service's clock before this one, as the SDK has found it
}

// Field is a header.
type Field struct{ Name, Value string }

// Request is what one request has of its own.
type Request struct {
	Key    string // the end of the path, of plain characters
	Fields []Field
	Body   []byte
	// Late is asked before each system call that sends some of it; nil: it is never late.
	Late func() error
}

// Answer is one that was read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	last bool // of its connection
}

// IsPlain are the characters that mean themselves in a path: the unreserved ones of RFC 3986, and the slash.
func IsPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0
}

func isPlain(path string) bool {
	for i := range len(path) {
		if !IsPlain(path[i]) {
			return false
		}
	}
	return true
}

// isLine says whether a header's value can be sent.
func isLine(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return true
}

// Fits says whether the request can be made here. Others are the SDK's.
func (r *Request) Fits() bool {
	return isPlain(r.Key) && !slices.ContainsFunc(r.Fields, func(f Field) bool { return !isLine(f.Value) })
}

// Model is the present one, or nil.
func (c *Client) Model() *Model { return c.model.Load() }

// Forget gives up a model, if it is still the present one.
func (c *Client) Forget(m *Model) { c.model.CompareAndSwap(m, nil) }

// Do makes a request that fits. It may be sent twice.
func (c *Client) Do(ctx context.Context, m *Model, r Request) (*Answer, error) {
	credentials, err := c.credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	text := c.buffers.Get().(*bytes.Buffer)
	defer c.buffers.Put(text)
	text.Reset()
	c.write(text, m, &r, credentials, time.Now().Add(m.skew))
	return c.conns.do(ctx, &m.url, text.Bytes(), r.Late)
}

// Sample is a request of the SDK's on its way.
type Sample struct {
	url    *url.URL
	host   string
	method string
	header http.Header
	skew   time.Duration
}

// Take is an option (APIOptions) of a call by the SDK.
func (s *Sample) Take(stack *middleware.Stack) error {
	look := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if r, ok := in.Request.(*smithyhttp.Request); ok {
			s.url, s.host, s.method, s.header = r.URL, r.Host, r.Method, r.Header.Clone()
			if signed, err := time.Parse(timeFormat, r.Header.Get("X-Amz-Date")); err == nil {
				s.skew = time.Until(signed).Round(time.Second)
			}
		}
		return next.HandleFinalize(ctx, in)
	}
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Sample", look), "Signing", middleware.After)
}

// ownFields are those that a model leaves out: each request has its own, or none.
var ownFields = []string{"Authorization", "Content-Length", "X-Amz-Date", "X-Amz-Security-Token", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request"}

// Learn makes a granted request the model. own is what of it was its own: key and names of headers. A request that is not signed as
// usual, or goes by a proxy, is no model.
func (c *Client) Learn(s *Sample, key string, own ...string) {
	if m := s.model(c.service, key, own); m != nil && c.conns.reaches(m) {
		c.model.Store(m)
	}
}

func (s *Sample) model(service, key string, own []string) *Model {
	if s.url == nil {
		return nil
	}
	m := &Model{method: s.method, url: *s.url, host: s.host, skew: s.skew}
	if m.host == "" {
		m.host = m.url.Host
	}
	var ends, usual bool
	m.url.Path, ends = strings.CutSuffix(m.url.Path, key)
	m.url.RawPath = "" // what is plain is the same in both
	m.region, usual = regionOf(s.header.Get("Authorization"), service)
	if !ends || !usual || !isPlain(m.url.Path) || !isLine(m.host) {
		return nil
	}
	for name, values := range s.header {
		if slices.Contains(ownFields, name) || slices.Contains(own, name) {
			continue
		}
		if len(values) != 1 || !isLine(values[0]) {
			return nil
		}
		m.fields = append(m.fields, Field{name, values[0]})
	}
	return m
}

// regionOf reads the credential scope of a signature: AWS4-HMAC-SHA256 Credential=ID/20261128/us-west-2/s3/aws4_request, …
func regionOf(authorization, service string) (region string, ok bool) {
	scope, ok := strings.CutPrefix(authorization, algorithm+" Credential=")
	scope, _, more := strings.Cut(scope, ",")
	parts := strings.Split(scope, "/")
	if !ok || !more || len(parts) != 5 || parts[3] != service {
		return "", false
	}
	return parts[2], true
}
