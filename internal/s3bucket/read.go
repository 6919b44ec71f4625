package s3bucket

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// bodyTries is how often GetObject reads an object whose body breaks off. The SDK does not retry
// that, because it has already returned.
const bodyTries = 3

// GetObject reads an object whole. With ifNoneMatch, an object of that ETag is
// bucket.ErrNotModified.
func (b *Bucket) GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error) {
	const op = "GetObject"
	for try := 1; ; try++ {
		out, err := b.get(ctx, key, ifNoneMatch)
		if err != nil {
			return bucket.Content{}, err
		}
		body, err := readAll(out.Body, aws.ToInt64(out.ContentLength))
		if err == nil && strings.HasSuffix(key, ".json") && strings.HasPrefix(aws.ToString(out.ContentType), "text/html") {
			// The JSON decoder would only report a wrong character.
			err = &answerError{"the answer is a web page, expected JSON: either the object is one, or a proxy answers in place of S3"}
		}
		if err == nil {
			return bucket.Content{Body: body, ETag: unquoted(out.ETag), Age: age(out.ResultMetadata, out.LastModified)}, nil
		}
		if try == bodyTries || ctx.Err() != nil {
			return bucket.Content{}, fail(op, key, err)
		}
	}
}

func (b *Bucket) get(ctx context.Context, key, ifNoneMatch string) (*s3.GetObjectOutput, error) {
	const op = "GetObject"
	if err := checkKey(key); err != nil {
		return nil, invalidKey(op, key, err)
	}
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key, IfNoneMatch: quoted(ifNoneMatch)})
	if err != nil {
		return nil, fail(op, key, err)
	}
	if unquoted(out.ETag) == "" {
		_ = out.Body.Close()
		return nil, badAnswer(op, key, "the answer has no ETag (Content-Type %.60q)", aws.ToString(out.ContentType))
	}
	return out, nil
}

// roomForBody is the largest buffer that is allocated before the first byte of a body.
const roomForBody = 8 << 20

// readAll reads a body and closes it, so that its connection can serve the next request.
func readAll(from io.ReadCloser, length int64) ([]byte, error) {
	defer from.Close() //nolint:errcheck // It was only read.
	var body bytes.Buffer
	// ReadFrom needs some room to find the end.
	body.Grow(int(min(max(length, 0), roomForBody)) + bytes.MinRead)
	_, err := body.ReadFrom(from)
	return body.Bytes(), err
}

// age returns the least age of the object at the time of S3's answer, by S3's clock. Date and
// Last-Modified are rounded down to whole seconds, so their difference may be up to a second too
// large.
func age(meta middleware.Metadata, modified *time.Time) time.Duration {
	now, ok := awsmiddleware.GetServerTime(meta)
	if !ok || modified == nil {
		return -1
	}
	return max(now.Sub(*modified)-time.Second, 0)
}

// HeadObject gives the ETag and size of an object.
func (b *Bucket) HeadObject(ctx context.Context, key string) (bucket.Object, error) {
	const op = "HeadObject"
	if err := checkKey(key); err != nil {
		return bucket.Object{}, invalidKey(op, key, err)
	}
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		return bucket.Object{}, fail(op, key, err)
	}
	if unquoted(out.ETag) == "" {
		return bucket.Object{}, badAnswer(op, key, "the answer has no ETag (Content-Type %.60q)", aws.ToString(out.ContentType))
	}
	return bucket.Object{Key: key, ETag: unquoted(out.ETag), Size: sizeOf(out.ContentLength), StorageClass: storageClass(out.StorageClass)}, nil
}

// OpenObject opens an object for reading. The caller closes the reader. The context applies until
// then.
func (b *Bucket) OpenObject(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	out, err := b.get(ctx, key, "")
	if err != nil {
		return nil, bucket.Object{}, err
	}
	return out.Body, bucket.Object{Key: key, ETag: unquoted(out.ETag), Size: sizeOf(out.ContentLength), StorageClass: storageClass(out.StorageClass)}, nil
}
