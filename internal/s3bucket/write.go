package s3bucket

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // It is the checksum of S3's header Content-MD5.
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// PutObject writes an object, under a condition when cond has one. For an IfMatch without an object
// it returns bucket.ErrNotFound. A write whose answer was lost is repeated, so
// bucket.ErrPrecondition may be caused by the caller's own first try. The request has the MD5 of
// the body, because a bucket with a default retention of Object Lock refuses a write without a
// checksum. Every S3-compatible store supports MD5.
func (b *Bucket) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	return b.PutObjectFrom(ctx, key, bytes.NewReader(body), cond)
}

// PutObjectFrom is PutObject for a body that is not in memory. It reads the body from its start at
// least twice: for the hashes and the length, and then for the request.
func (b *Bucket) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	const op = "PutObject"
	if err := checkKey(key); err != nil {
		return "", invalidKey(op, key, err)
	}
	sum, payload := md5.New(), sha256.New() //nolint:gosec // see the import
	_, err := body.Seek(0, io.SeekStart)
	if err == nil {
		_, err = io.Copy(io.MultiWriter(sum, payload), body)
	}
	if err == nil {
		_, err = body.Seek(0, io.SeekStart)
	}
	if err != nil {
		return "", &bucket.Error{Op: op, Key: key, Code: bucket.CodeTransport, Err: fmt.Errorf("read the body: %w", err)}
	}
	in := &s3.PutObjectInput{
		Bucket: &b.name, Key: &key, Body: body, IfMatch: quoted(cond.IfMatch),
		ContentMD5: aws.String(base64.StdEncoding.EncodeToString(sum.Sum(nil))),
	}
	if cond.IfNoneMatch {
		in.IfNoneMatch = aws.String("*")
	}
	out, err := b.client.PutObject(ctx, in, signedPayload(payload.Sum(nil)))
	if err != nil {
		return "", fail(op, key, err)
	}
	if unquoted(out.ETag) == "" {
		return "", badAnswer(op, key, "the answer has no ETag")
	}
	return unquoted(out.ETag), nil
}

// signedPayload gives the SDK the SHA-256 of the body, for the signature. Without TLS the SDK would
// read the whole body for it.
func signedPayload(sum []byte) func(*s3.Options) {
	set := middleware.InitializeMiddlewareFunc("PayloadHash", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		return next.HandleInitialize(v4.SetPayloadHash(ctx, hex.EncodeToString(sum)), in)
	})
	return func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Initialize.Add(set, middleware.Before) })
	}
}

var errNoResult = errors.New("the answer has no result")

// CopyObject copies an object within the bucket, in one attempt. With ifMatch it returns
// bucket.ErrPrecondition when the source has another ETag. An error names the source's key, because
// S3's condition and 404 refer to the source.
func (b *Bucket) CopyObject(ctx context.Context, src, dst, ifMatch string) (string, error) {
	const op = "CopyObject"
	for _, key := range [...]string{src, dst} {
		if err := checkKey(key); err != nil {
			return "", invalidKey(op, key, err)
		}
	}
	at, err := b.endpoint()
	if err != nil {
		return "", fail(op, src, err)
	}
	header := http.Header{"X-Amz-Copy-Source": {b.name + "/" + escapePath(src)}}
	if ifMatch != "" {
		header.Set("X-Amz-Copy-Source-If-Match", `"`+ifMatch+`"`)
	}
	var etag string
	ctx, done := within(ctx)
	defer done()
	// The worker decides whether and when to retry a copy, because it knows the task and slows down
	// all of its copies together.
	err = at.send(ctx, request{method: http.MethodPut, key: dst, header: header}, func(body []byte) (err error) {
		etag, err = decodeCopyResult(body)
		return err
	})
	if err != nil {
		return "", fail(op, src, err)
	}
	// S3 sends the status at once and the result at the end. A connection that breaks in between
	// looks like a success.
	if etag = strings.Trim(etag, `"`); etag == "" {
		return "", &bucket.Error{Op: op, Key: src, Code: bucket.CodeTransport, Err: errNoResult}
	}
	return etag, nil
}

// DeleteObjects deletes up to bucket.MaxDeleteObjects objects, in one attempt. A key without an
// object is not an error. The list has the errors of single keys. All other keys are deleted.
func (b *Bucket) DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error) {
	const op = "DeleteObjects"
	if len(keys) > bucket.MaxDeleteObjects {
		return nil, &bucket.Error{Op: op, Code: "MalformedXML", Status: http.StatusBadRequest,
			Err: fmt.Errorf("%d keys; a request takes %d", len(keys), bucket.MaxDeleteObjects)}
	}
	var failed []*bucket.Error
	ids := make([]types.ObjectIdentifier, 0, len(keys))
	for i, key := range keys {
		if err := checkKey(key); err != nil {
			failed = append(failed, invalidKey(op, key, err))
			continue
		}
		ids = append(ids, types.ObjectIdentifier{Key: &keys[i]})
	}
	if len(ids) == 0 {
		return failed, nil
	}
	ctx, done := within(ctx)
	defer done()
	// The SDK's client does not check the answer's root element, and would accept a web page as an
	// empty answer.
	check := func(o *s3.Options) { o.Interceptors.AddBeforeDeserialization(rootCheck("DeleteResult")) }
	out, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &b.name, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)},
	}, once, check)
	if err != nil {
		return failed, fail(op, *ids[0].Key, err)
	}
	errs, err := deleteErrors(op, ids, out)
	return append(failed, errs...), err
}

// once limits a call to a single attempt, because the worker decides about retries.
func once(o *s3.Options) { o.Retryer = aws.NopRetryer{} }

type rootCheck string

// BeforeDeserialization implements the SDK's interceptor. The SDK also calls it without a response:
// when the context of the request has ended.
func (root rootCheck) BeforeDeserialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	if in.Response == nil || in.Response.StatusCode >= http.StatusMultipleChoices {
		return nil
	}
	body, err := readAll(in.Response.Body, in.Response.ContentLength)
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	in.Response.Body = io.NopCloser(bytes.NewReader(body))
	_, _, err = openAnswer(body, string(root))
	return err
}

// deleteErrors returns the errors of single keys. The answer must not name keys that are not in the
// request. In quiet mode S3 names only the keys that it could not delete. A store that also names
// deleted keys must name every key.
func deleteErrors(op string, asked []types.ObjectIdentifier, out *s3.DeleteObjectsOutput) (failed []*bucket.Error, err error) {
	open := make(map[string]bool, len(asked))
	for _, id := range asked {
		open[*id.Key] = true
	}
	named := make([]string, 0, len(out.Errors)+len(out.Deleted))
	for _, e := range out.Errors {
		// S3 reports a code without a status.
		key, code, message := aws.ToString(e.Key), codeOf(aws.ToString(e.Code), 0), aws.ToString(e.Message)
		failed = append(failed, &bucket.Error{Op: op, Key: key, Code: code, Err: explained(errors.New(message), code, message)})
		named = append(named, key)
	}
	for _, d := range out.Deleted {
		named = append(named, aws.ToString(d.Key))
	}
	for _, key := range named {
		if _, ok := open[key]; !ok {
			return nil, badAnswer(op, *asked[0].Key, "the answer names the key %.200q, which the request does not", key)
		}
		open[key] = false
	}
	for key, missing := range open {
		if missing && len(out.Deleted) > 0 {
			failed = append(failed, badAnswer(op, key, "the answer does not name the key, but others"))
		}
	}
	return failed, nil
}
