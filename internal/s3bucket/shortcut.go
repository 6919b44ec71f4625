package s3bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/direct"
)

// shortcut makes copies without most of the SDK (package direct). The answers are read as ever.
type shortcut struct {
	client  *direct.Client
	answers atomic.Pointer[leanDeserializer] // of an SDK's call; there is one when there is a model
}

// newShortcut gives nil for a client that has none.
func newShortcut(api API) *shortcut {
	client, ok := api.(*s3.Client)
	if !ok {
		return nil
	}
	o := client.Options()
	d := direct.New("s3", o.HTTPClient, o.Credentials, o.APIOptions, answerTimeout)
	if d == nil {
		return nil
	}
	return &shortcut{client: d}
}

// copy makes a CopyObject request: by the shortcut where that can be, else by the SDK. What S3 finds fault with in how it was asked (400, 403: time,
// signature, credentials, region) has done nothing, and is made again by the SDK. A right that is missing is missing whoever asks.
func (b *Bucket) copy(ctx context.Context, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	r := copyRequest(ctx, in)
	s := b.shortcut
	if s == nil || !r.Fits() {
		return b.copySDK(ctx, in)
	}
	if m := s.client.Model(); m != nil {
		out, err := s.copy(ctx, m, r)
		if err == nil {
			return out, nil
		}
		status := statusOf(err)
		if status < http.StatusNotFound {
			s.client.Forget(m) // what S3 answers beyond that is no fault of the request's form
		}
		if status != http.StatusBadRequest && status != http.StatusForbidden || codeOfError(err) == bucket.CodeAccessDenied {
			return nil, err
		}
	}
	var seen direct.Sample
	out, err := b.copySDK(ctx, in, s3.WithAPIOptions(s.takeAnswers, seen.Take))
	if err == nil && s.answers.Load() != nil {
		s.client.Learn(&seen, r.Key, copySourceHeader, ifMatchHeader)
	}
	return out, err
}

func (b *Bucket) copySDK(ctx context.Context, in *s3.CopyObjectInput, further ...func(*s3.Options)) (*s3.CopyObjectOutput, error) {
	ctx, done := within(ctx)
	defer done()
	return b.api.CopyObject(ctx, in, append(slices.Clip(b.copying), further...)...)
}

// takeAnswers is an option (APIOptions) of a call by the SDK, after that of lean.
func (s *shortcut) takeAnswers(stack *middleware.Stack) error {
	reads, _ := stack.Deserialize.Get(deserializer)
	if answers, ok := reads.(*leanDeserializer); ok {
		s.answers.Store(answers)
	}
	return nil
}

const (
	copySourceHeader = "X-Amz-Copy-Source"
	ifMatchHeader    = "X-Amz-Copy-Source-If-Match"
)

func copyRequest(ctx context.Context, in *s3.CopyObjectInput) direct.Request {
	r := direct.Request{Key: *in.Key, Late: lateness(ctx), Fields: []direct.Field{{Name: copySourceHeader, Value: *in.CopySource}}}
	if in.CopySourceIfMatch != nil {
		r.Fields = append(r.Fields, direct.Field{Name: ifMatchHeader, Value: *in.CopySourceIfMatch})
	}
	return r
}

// statusOf is the status of the answer; 0: there was none.
func statusOf(err error) int {
	if answered, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return answered.HTTPStatusCode()
	}
	return 0
}

func codeOfError(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

func (s *shortcut) copy(ctx context.Context, m *direct.Model, r direct.Request) (*s3.CopyObjectOutput, error) {
	answer, err := s.client.Do(ctx, m, r)
	if err != nil {
		return nil, &smithyhttp.RequestSendError{Err: err}
	}
	response := &smithyhttp.Response{Response: &http.Response{
		StatusCode: answer.Status, Header: answer.Header, ContentLength: int64(len(answer.Body)), Body: io.NopCloser(bytes.NewReader(answer.Body)),
	}}
	out, _, err := s.answers.Load().HandleDeserialize(ctx, middleware.DeserializeInput{}, middleware.DeserializeHandlerFunc(
		func(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
			return middleware.DeserializeOutput{RawResponse: response}, middleware.Metadata{}, nil
		}))
	if err != nil {
		return nil, &smithyhttp.ResponseError{Response: response, Err: err}
	}
	result, ok := out.Result.(*s3.CopyObjectOutput)
	if !ok {
		return nil, fmt.Errorf("the answer is a %T", out.Result)
	}
	return result, nil
}
