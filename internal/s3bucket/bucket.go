// Package s3bucket is a bucket in S3, by way of the AWS SDK. The two calls that a run makes most
// often, CopyObject and ListObjectsV2, are signed requests over the SDK's HTTP client. All others
// are calls of the SDK.
package s3bucket

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Bucket is one bucket of S3. It is safe for concurrent use. Its errors are *bucket.Error.
type Bucket struct {
	client *s3.Client
	name   string
	// endpoint is where signed requests go. It is resolved once: it depends on the client's options
	// only.
	endpoint func() (*endpoint, error)
}

// New is the bucket of that name. The client should be one of NewClient.
func New(client *s3.Client, bucketName string) *Bucket {
	return &Bucket{
		client:   client,
		name:     bucketName,
		endpoint: sync.OnceValues(func() (*endpoint, error) { return resolveEndpoint(client.Options(), bucketName) }),
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
