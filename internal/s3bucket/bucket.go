// Package s3bucket is a bucket in S3, by way of the AWS SDK.
package s3bucket

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// API is what the package calls of S3; *s3.Client implements it.
type API interface {
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	CopyObject(context.Context, *s3.CopyObjectInput, ...func(*s3.Options)) (*s3.CopyObjectOutput, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
}

// Bucket is one bucket of S3. It is safe for concurrent use. Its errors are *bucket.Error.
type Bucket struct {
	api  API
	name string
	// Options of calls, made here and not anew with each call.
	copying, deleting, listing []func(*s3.Options)
	shortcut                   *shortcut // nil: every copy is the SDK's
}

// New is the bucket of that name. The client should be one of NewClient.
func New(api API, bucketName string) *Bucket {
	// Whether a copy or delete is tried again, and how soon, is the worker's to decide: it knows the task, and
	// slows all of its slots down together.
	once := func(o *s3.Options) { o.Retryer = aws.NopRetryer{} }
	return &Bucket{
		api:      api,
		name:     bucketName,
		copying:  []func(*s3.Options){once, s3.WithAPIOptions(lean("CopyObjectResult", readCopy))},
		deleting: []func(*s3.Options){once, s3.WithAPIOptions(lean("DeleteResult", readNothing))},
		listing:  []func(*s3.Options){s3.WithAPIOptions(lean("ListBucketResult", readList))},
		shortcut: newShortcut(api),
	}
}

// maxKeyBytes is S3's limit ("Naming Amazon S3 objects").
const maxKeyBytes = 1024

var errKey = errors.New("a key has 1 to 1,024 bytes of UTF-8, without NUL")

// checkKey refuses here what S3 refuses with several codes, and what no request can say at all.
func checkKey(key string) error {
	if key != "" && len(key) <= maxKeyBytes && strings.IndexByte(key, 0) < 0 && utf8.ValidString(key) {
		return nil
	}
	return errKey
}

func invalidKey(op, key string, err error) *bucket.Error {
	return &bucket.Error{Op: op, Key: key, Code: bucket.CodeInvalidKey, Status: http.StatusBadRequest, Err: err}
}

// quoted is an ETag as the headers want it (RFC 9110).
func quoted(etag string) *string {
	if etag == "" {
		return nil
	}
	etag = `"` + etag + `"`
	return &etag
}

func unquoted(etag *string) string {
	if etag == nil {
		return ""
	}
	return strings.Trim(*etag, `"`)
}
