package s3bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/awsclient"
	"github.com/angel-nft/google-shuffle/internal/bucket"
)

var errNoToken = errors.New("the answer says that there is more, but not where")

// ListObjects makes one ListObjectsV2 request, with the retries of the client's retryer.
func (b *Bucket) ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error) {
	const op = "ListObjectsV2"
	at, err := b.endpoint()
	if err != nil {
		return bucket.Page{}, fail(op, in.Prefix, err)
	}
	r := request{method: http.MethodGet, query: listQuery(in)}
	var out listing
	err = awsclient.Retry(ctx, at.retryer, func() error {
		return at.send(ctx, r, func(body []byte) (err error) {
			out, err = decodeListing(body)
			return err
		})
	})
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

func listQuery(in bucket.ListInput) string {
	// Keys may have characters that XML cannot. Without the encoding one such key would make the
	// whole listing unreadable.
	query := url.Values{"list-type": {"2"}, "encoding-type": {"url"}}
	for name, value := range map[string]string{
		"prefix": in.Prefix, "delimiter": in.Delimiter, "start-after": in.StartAfter, "continuation-token": in.Token,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if in.MaxKeys > 0 {
		query.Set("max-keys", strconv.Itoa(min(in.MaxKeys, bucket.MaxListKeys)))
	}
	// S3 and the signature encode a space this way.
	return strings.ReplaceAll(query.Encode(), "+", "%20")
}

// checkEcho compares the request with the fields that the answer repeats of it. It does not compare
// the name of an access point, because the answer may have the bucket's name.
func (b *Bucket) checkEcho(in bucket.ListInput, out listing) error {
	alias := strings.Contains(b.name, ":") || strings.HasSuffix(b.name, "-s3alias")
	if out.Name != "" && out.Name != b.name && !alias {
		return fmt.Errorf("the answer lists the bucket %.100q, not %q", out.Name, b.name)
	}
	decoded, err := decodeKey(out.Prefix)
	if out.Prefix != "" && out.Prefix != in.Prefix && (err != nil || decoded != in.Prefix) {
		return fmt.Errorf("the answer lists the prefix %.200q", out.Prefix)
	}
	return nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func pageOf(out listing) (bucket.Page, error) {
	decode := func(key string) (string, error) { return key, nil }
	if out.EncodingType == "url" {
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
		page.Objects[i] = bucket.Object{Key: key, ETag: strings.Trim(o.ETag, `"`), Size: sizeOf(o.Size), StorageClass: storageClass(o.StorageClass)}
	}
	for _, p := range out.CommonPrefixes {
		prefix, err := decode(p.Prefix)
		if err != nil {
			return bucket.Page{}, fmt.Errorf("decode prefix: %w", err)
		}
		page.Prefixes = append(page.Prefixes, prefix)
	}
	if out.IsTruncated {
		if page.Next = out.NextContinuationToken; page.Next == "" {
			return bucket.Page{}, errNoToken
		}
	}
	return page, nil
}

// sizeOf returns -1 when the answer has no size, because a missing size does not mean an empty
// object.
func sizeOf(size *int64) int64 {
	if size == nil {
		return -1
	}
	return *size
}

// storageClass returns "" for the standard class.
func storageClass[T ~string](class T) string {
	if class == "STANDARD" {
		return ""
	}
	return string(class)
}

// decodeKey reverses S3's encoding, in which a space is a plus. Most keys are not changed by it.
func decodeKey(key string) (string, error) {
	if !strings.ContainsAny(key, "%+") {
		return key, nil
	}
	return url.QueryUnescape(key)
}
