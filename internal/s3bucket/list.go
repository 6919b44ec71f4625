package s3bucket

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

var errNoToken = errors.New("the answer says that there is more, but not where")

// ListObjects makes one ListObjectsV2 request.
func (b *Bucket) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	const op = "ListObjectsV2"
	out, err := b.api.ListObjectsV2(ctx, b.listInput(in), b.listing...)
	if err != nil {
		return bucket.Page{}, fail(op, in.Prefix, err)
	}
	if err := b.checkEcho(in, out); err != nil {
		return bucket.Page{}, badAnswer(op, in.Prefix, "%v", err)
	}
	page, err := pageOf(out)
	if err != nil {
		return bucket.Page{}, badAnswer(op, in.Prefix, "%v", err)
	}
	return page, nil
}

// checkEcho compares what the answer repeats of the question, as far as it does. The name of an
// access point is not compared: the answer may have the bucket's.
func (b *Bucket) checkEcho(in bucket.ListInput, out *s3.ListObjectsV2Output) error {
	alias := strings.Contains(b.name, ":") || strings.HasSuffix(b.name, "-s3alias")
	if name := aws.ToString(out.Name); name != "" && name != b.name && !alias {
		return fmt.Errorf("the answer lists the bucket %.100q, not %q", name, b.name)
	}
	prefix := aws.ToString(out.Prefix)
	decoded, err := decodeKey(&prefix)
	if prefix != "" && prefix != in.Prefix && (err != nil || decoded != in.Prefix) {
		return fmt.Errorf("the answer lists the prefix %.200q", prefix)
	}
	return nil
}

func (b *Bucket) listInput(in bucket.ListInput) *s3.ListObjectsV2Input {
	req := &s3.ListObjectsV2Input{
		Bucket: &b.name,
		// Keys may hold characters that XML can't; one such key would make the whole listing unreadable.
		EncodingType:      types.EncodingTypeUrl,
		Prefix:            optional(in.Prefix),
		Delimiter:         optional(in.Delimiter),
		StartAfter:        optional(in.StartAfter),
		ContinuationToken: optional(in.Token),
	}
	if in.MaxKeys > 0 {
		req.MaxKeys = aws.Int32(int32(min(in.MaxKeys, bucket.MaxListKeys)))
	}
	return req
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func pageOf(out *s3.ListObjectsV2Output) (bucket.Page, error) {
	decode := func(s *string) (string, error) { return aws.ToString(s), nil }
	if out.EncodingType == types.EncodingTypeUrl {
		decode = decodeKey
	}
	var page bucket.Page
	if len(out.Contents) > 0 {
		page.Objects = make([]bucket.Object, len(out.Contents))
	}
	for i, o := range out.Contents {
		key, err := decode(o.Key)
		if err != nil {
			return bucket.Page{}, fmt.Errorf("decode key: %w", err)
		}
		page.Objects[i] = bucket.Object{Key: key, ETag: unquoted(o.ETag), Size: sizeOf(o.Size), StorageClass: storageClass(o.StorageClass)}
	}
	for _, p := range out.CommonPrefixes {
		prefix, err := decode(p.Prefix)
		if err != nil {
			return bucket.Page{}, fmt.Errorf("decode prefix: %w", err)
		}
		page.Prefixes = append(page.Prefixes, prefix)
	}
	if aws.ToBool(out.IsTruncated) {
		if page.Next = aws.ToString(out.NextContinuationToken); page.Next == "" {
			return bucket.Page{}, errNoToken
		}
	}
	return page, nil
}

// sizeOf is -1 when the store has not given it: an object is not empty for that.
func sizeOf(size *int64) int64 {
	if size == nil {
		return -1
	}
	return *size
}

// storageClass is empty for the standard class.
func storageClass[T ~string](class T) string {
	if class == "STANDARD" {
		return ""
	}
	return string(class)
}

// decodeKey undoes S3's encoding, in which a space is a plus. Most keys have nothing to undo.
func decodeKey(s *string) (string, error) {
	key := aws.ToString(s)
	if !strings.ContainsAny(key, "%+") {
		return key, nil
	}
	return url.QueryUnescape(key)
}
