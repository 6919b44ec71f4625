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
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// direct sends CopyObject requests that are like one of the SDK's that S3 has granted. Of the SDK they use the signer, the credentials, the
// HTTP client and what reads answers; its other steps, some fifty in each call, find out each time anew where the request goes and how
// it is signed, which takes most of a copy's CPU.
//
// Whatever is not plain success ends the use of the model, and the next call is the SDK's again. So the SDK stays the one that knows of endpoints,
// regions, kinds of signatures and clocks.
type direct struct {
	http        s3.HTTPClient
	credentials aws.CredentialsProvider
	signer      *v4.Signer
	model       atomic.Pointer[model] // nil: the next call is the SDK's
}

// newDirect is nil for another client than the SDK's.
func newDirect(api API) *direct {
	client, ok := api.(*s3.Client)
	if !ok {
		return nil
	}
	o := client.Options()
	return &direct{http: o.HTTPClient, credentials: o.Credentials, signer: v4.NewSigner(func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = true // S3's path is signed as it is sent (S3, Signature Calculations for the Authorization Header)
	})}
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

// copy makes a CopyObject request: a direct one where that can be, else the SDK's. A direct one that S3 does not accept as a request (400, 403) has
// done nothing, and is left to the SDK: a clock was set, say.
func (b *Bucket) copy(ctx context.Context, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	d := b.direct
	if d == nil || !areAllPlain(*in.Key) {
		return b.api.CopyObject(ctx, in, b.copying...)
	}
	if m := d.model.Load(); m != nil {
		out, err := d.send(ctx, m, in)
		if err == nil {
			return out, nil
		}
		d.model.CompareAndSwap(m, nil)
		if status := statusOf(err); status != http.StatusBadRequest && status != http.StatusForbidden {
			return nil, err
		}
	}
	var s sample
	out, err := b.api.CopyObject(ctx, in, append(slices.Clip(b.copying), s3.WithAPIOptions(s.take))...)
	if err == nil {
		d.model.Store(s.model(*in.Key))
	}
	return out, err
}

func areAllPlain(key string) bool {
	for i := range len(key) {
		if !isPlain(key[i]) {
			return false
		}
	}
	return true
}

func (d *direct) send(ctx context.Context, m *model, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	credentials, err := d.credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("get credentials: %w", err)
	}
	request := m.request(in)
	err = d.signer.SignHTTP(ctx, credentials, request, m.header.Get(v4ContentSHA256), signedService, m.region, time.Now().Add(m.skew))
	if err != nil {
		return nil, &v4.SigningError{Err: err}
	}
	var answer *http.Response
	out, _, err := m.answers.HandleDeserialize(ctx, middleware.DeserializeInput{}, middleware.DeserializeHandlerFunc(
		func(context.Context, middleware.DeserializeInput) (out middleware.DeserializeOutput, _ middleware.Metadata, err error) {
			if answer, err = d.http.Do(request.WithContext(ctx)); err != nil {
				return out, middleware.Metadata{}, &smithyhttp.RequestSendError{Err: err}
			}
			out.RawResponse = &smithyhttp.Response{Response: answer}
			return out, middleware.Metadata{}, nil
		}))
	if answer != nil {
		_ = answer.Body.Close() // it was only read
		if err != nil {
			return nil, &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: answer}, Err: err}
		}
	}
	result, _ := out.Result.(*s3.CopyObjectOutput)
	return result, err
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
	signing         = "Signing"
	v4ContentSHA256 = "X-Amz-Content-Sha256"
	v4Algorithm     = "AWS4-HMAC-SHA256"
	v4Time          = "20060102T150405Z"
	signedService   = "s3"
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
