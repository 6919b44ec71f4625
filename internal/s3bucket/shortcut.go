package s3bucket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/angel-nft/google-shuffle/internal/direct"
)

// shortcut makes CopyObject requests that are like one of the SDK's that S3 has granted. Of the SDK they use the signer, the credentials and
// what reads answers; its other steps, some fifty in each call, find out each time anew where the request goes and how it is signed, which takes
// most of a copy's CPU. They go over connections of their own (package direct) where the SDK's client has none but usual ones.
//
// Whatever is not plain success ends the use of the model, and the next call is the SDK's again. So the SDK stays the one that knows of endpoints,
// regions, kinds of signatures and clocks.
type shortcut struct {
	http        s3.HTTPClient
	conns       *direct.Conns // nil: the requests go by http
	credentials aws.CredentialsProvider
	signer      *v4.Signer
	model       atomic.Pointer[model] // nil: the next call is the SDK's
}

// newShortcut is nil for another client than the SDK's.
func newShortcut(api API) *shortcut {
	client, ok := api.(*s3.Client)
	if !ok {
		return nil
	}
	o := client.Options()
	s := &shortcut{http: o.HTTPClient, credentials: o.Credentials, signer: v4.NewSigner(func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = true // S3's path is signed as it is sent (S3, Signature Calculations for the Authorization Header)
	})}
	if usual, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
		s.conns = direct.New(usual.GetTransport(), answerTimeout)
	}
	return s
}

// model is a request of the SDK's that was granted.
type model struct {
	url     url.URL       // its path is all before the key
	header  http.Header   // what all requests have in common
	host    string        // as in http.Request
	region  string        // of the signature
	skew    time.Duration // of S3's clock before this one, as the SDK has found it
	answers *leanDeserializer
}

// copy makes a CopyObject request: by the shortcut where that can be, else by the SDK. What S3 does not accept as a request (400, 403) has
// done nothing, and is made again by the SDK: a clock was set, say.
func (b *Bucket) copy(ctx context.Context, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	s := b.shortcut
	if s == nil || !areAllPlain(*in.Key) {
		return b.copySDK(ctx, in)
	}
	if m := s.model.Load(); m != nil {
		out, err := s.copy(ctx, m, in)
		if err == nil {
			return out, nil
		}
		s.model.CompareAndSwap(m, nil)
		if status := statusOf(err); status != http.StatusBadRequest && status != http.StatusForbidden {
			return nil, err
		}
	}
	var seen sample
	out, err := b.copySDK(ctx, in, s3.WithAPIOptions(seen.take))
	if err == nil {
		s.model.Store(seen.model(*in.Key))
	}
	return out, err
}

func (b *Bucket) copySDK(ctx context.Context, in *s3.CopyObjectInput, further ...func(*s3.Options)) (*s3.CopyObjectOutput, error) {
	ctx, done := within(ctx)
	defer done()
	return b.api.CopyObject(ctx, in, append(slices.Clip(b.copying), further...)...)
}

func areAllPlain(key string) bool {
	for i := range len(key) {
		if !isPlain(key[i]) {
			return false
		}
	}
	return true
}

func (s *shortcut) copy(ctx context.Context, m *model, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("get credentials: %w", err)
	}
	request := m.request(in).WithContext(ctx)
	err = s.signer.SignHTTP(ctx, credentials, request, m.header.Get(contentSHA256), signedService, m.region, time.Now().Add(m.skew))
	if err != nil {
		return nil, &v4.SigningError{Err: err}
	}
	answer, err := s.do(request)
	if err != nil {
		return nil, &smithyhttp.RequestSendError{Err: err}
	}
	defer answer.Body.Close() //nolint:errcheck // It was only read.
	response := &smithyhttp.Response{Response: answer}
	out, _, err := m.answers.HandleDeserialize(ctx, middleware.DeserializeInput{}, middleware.DeserializeHandlerFunc(
		func(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
			return middleware.DeserializeOutput{RawResponse: response}, middleware.Metadata{}, nil
		}))
	if err != nil {
		return nil, &smithyhttp.ResponseError{Response: response, Err: err}
	}
	result, _ := out.Result.(*s3.CopyObjectOutput)
	return result, nil
}

// do sends a request, and not after its context's deadline.
func (s *shortcut) do(r *http.Request) (*http.Response, error) {
	if s.conns != nil && s.conns.Reaches(r) {
		return s.conns.Do(r, lateness(r.Context()))
	}
	ctx, done := within(r.Context())
	defer done()
	return s.http.Do(r.WithContext(ctx))
}

// request is one like the model, not signed yet.
func (m *model) request(in *s3.CopyObjectInput) *http.Request {
	u := m.url
	u.Path += *in.Key
	header := maps.Clone(m.header)
	header["X-Amz-Copy-Source"] = []string{*in.CopySource}
	if in.CopySourceIfMatch != nil {
		header["X-Amz-Copy-Source-If-Match"] = []string{*in.CopySourceIfMatch}
	}
	return &http.Request{Method: http.MethodPut, URL: &u, Host: m.host, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
}

func statusOf(err error) int {
	if answered, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return answered.HTTPStatusCode()
	}
	return 0
}

// sample is a request of the SDK's, signed, and what reads its answer.
type sample struct {
	url     *url.URL
	host    string
	header  http.Header
	offset  time.Duration
	answers *leanDeserializer
}

// Names of the SDK's and of its signatures'.
const (
	signing       = "Signing"
	contentSHA256 = "X-Amz-Content-Sha256"
	v4Algorithm   = "AWS4-HMAC-SHA256"
	v4Time        = "20060102T150405Z"
	signedService = "s3"
)

// take is an SDK client's option (APIOptions), after that of lean.
func (s *sample) take(stack *middleware.Stack) error {
	reads, _ := stack.Deserialize.Get(deserializer)
	s.answers, _ = reads.(*leanDeserializer)
	look := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if r, ok := in.Request.(*smithyhttp.Request); ok {
			s.url, s.host, s.header = r.URL, r.Host, r.Header.Clone()
			signed, err := time.Parse(v4Time, r.Header.Get("X-Amz-Date"))
			if err == nil {
				s.offset = time.Until(signed)
			}
		}
		return next.HandleFinalize(ctx, in)
	}
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Sample", look), signing, middleware.After)
}

// ownHeaders are those that the model leaves out: each request has its own, or none.
var ownHeaders = []string{
	"Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Copy-Source", "X-Amz-Copy-Source-If-Match",
	"Amz-Sdk-Invocation-Id", "Amz-Sdk-Request",
}

// model of a request that was granted; nil when it was not signed as S3's requests usually are, or stands in the way otherwise.
func (s *sample) model(key string) *model {
	if s.url == nil || s.answers == nil {
		return nil
	}
	region, ok := regionOf(s.header.Get("Authorization"))
	m := &model{url: *s.url, header: s.header, host: s.host, region: region, skew: s.offset, answers: s.answers}
	var ends bool
	m.url.Path, ends = strings.CutSuffix(m.url.Path, key)
	if !ok || !ends || !areAllPlain(m.url.Path) {
		return nil
	}
	m.url.RawPath = "" // what is plain is the same in both
	for _, name := range ownHeaders {
		m.header.Del(name)
	}
	return m
}

// regionOf reads the credential scope of a signature: AWS4-HMAC-SHA256 Credential=ID/20261128/us-west-2/s3/aws4_request, …
func regionOf(authorization string) (region string, ok bool) {
	scope, ok := strings.CutPrefix(authorization, v4Algorithm+" Credential=")
	scope, _, more := strings.Cut(scope, ",")
	parts := strings.Split(scope, "/")
	if !ok || !more || len(parts) != 5 || parts[3] != signedService {
		return "", false
	}
	return parts[2], true
}
