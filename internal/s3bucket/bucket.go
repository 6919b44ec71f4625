// Package s3bucket implements the bucket port on S3, with the AWS SDK. The two most frequent calls
// of a run, CopyObject and ListObjectsV2, are signed requests over the SDK's HTTP client. All
// others are calls of the SDK.
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
	// endpoint is the address of signed requests. It is resolved once, because it depends only on
	// the client's options.
	endpoint func() (*endpoint, error)
}

// New returns the bucket with a name. The client should come from NewClient.
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

// checkKey refuses keys that S3 refuses with several codes, and keys that a request cannot contain.
func checkKey(key string) error {
	if key != "" && len(key) <= maxKeyBytes && strings.IndexByte(key, 0) < 0 && utf8.ValidString(key) {
		return nil
	}
	return errKey
}

func invalidKey(op, key string, err error) *bucket.Error {
	return &bucket.Error{Op: op, Key: key, Code: bucket.CodeInvalidKey, Status: http.StatusBadRequest, Err: err}
}

// quoted returns an ETag in the form of the headers (RFC 9110).
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
