package s3bucket

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

const declaration = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// listings are answers to ListObjectsV2: of S3, of others that speak its language, and broken ones.
var listings = []string{
	declaration + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>media.angel-nft.com</Name><Prefix>a/</Prefix>` +
		`<NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys>` +
		`<IsTruncated>true</IsTruncated><Contents><Key>a/b+c%26.jpg</Key><LastModified>2026-11-25T03:34:33.000Z</LastModified>` +
		`<ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><Size>434234</Size>` +
		`<Owner><ID>x</ID><DisplayName/></Owner><StorageClass>STANDARD</StorageClass></Contents>` +
		`<Contents><Key>a/d</Key><ETag>"e-2"</ETag><Size>0</Size></Contents>` +
		`<Contents><Key>a/e</Key><ETag>"e"</ETag><Size>1</Size><StorageClass>DEEP_ARCHIVE</StorageClass></Contents>` +
		`<Contents><Key>a/f</Key><ETag>"e"</ETag><Size>1</Size><StorageClass>DEEP_ARCHIVE</StorageClass></Contents>` +
		`<Contents><Key>a/g</Key><ETag>"e"</ETag><Size>1</Size><StorageClass>NEW_CLASS</StorageClass></Contents></ListBucketResult>`,
	`<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated><Contents><Key>a%2Bb+c/d</Key><ETag/><Size>1</Size></Contents>` +
		`<CommonPrefixes><Prefix>p%20q/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>r/</Prefix></CommonPrefixes></ListBucketResult>`,
	`<ListBucketResult></ListBucketResult>`,
	"<ListBucketResult>\n  <IsTruncated>false</IsTruncated>\n  <Contents>\n    <Key>a</Key>\n    <Size>7</Size>\n  </Contents>\n</ListBucketResult>\n",
	`<ListBucketResult><Contents><Key>a&amp;b&lt;c&gt;&apos;&#233;&#x2F;</Key><Size>7</Size></Contents></ListBucketResult>`,
	`<ListBucketResult><!-- a comment --><Contents><Key><![CDATA[a<b]]></Key><Size>7</Size></Contents></ListBucketResult>`,
	`<ListBucketResult><Contents><Key>no size</Key></Contents></ListBucketResult>`,
	"<ListBucketResult><Contents><Key>a\r\nb</Key><Size>7</Size></Contents></ListBucketResult>",
	`<ListBucketResult><Contents><Key attribute="a&gt;b">a</Key><Size>7</Size></Contents></ListBucketResult>`,
	`<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>`, // more, but not where
	declaration + `<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>`,
	`<ListBucketResult><Contents><Key>a</Key><Size>7</Size></Contents>`, // cut off
	`<ListBucketResult><Contents><Key>a</Key><Size>seven</Size></Contents></ListBucketResult>`,
	`<ListBucketResult><Contents><Key>a</Size></Contents></ListBucketResult>`,
	`<ListBucketResult><></ListBucketResult>`,
	`<?xml 0?><ListBucketResult 0></ListBucketResult>`,
	``,
	`not XML`,
}

// TestListingAsSDK: an answer comes to what it comes to by the SDK's own call. The SDK does not
// look at the root element, and not at a token that is missing.
func TestListingAsSDK(t *testing.T) {
	t.Parallel()
	for _, body := range listings {
		cfg := config(fixed(body))
		client := NewClient(cfg, 1)
		client = s3.New(client.Options(), once)
		got, err := New(client, "media.angel-nft.com").ListObjects(t.Context(), bucket.ListInput{Prefix: "a/"})
		out, wantErr := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("media.angel-nft.com"), Prefix: aws.String("a/")})
		if wantErr != nil || !strings.Contains(body, "<"+listRoot) || err != nil && strings.Contains(err.Error(), "but not where") {
			if err == nil {
				t.Errorf("%q: %+v, want an error: %v", body, got, wantErr)
			}
			continue
		}
		if want, wantErr := pageOf(ofSDK(out)); err != nil || wantErr != nil || !gocmp.Equal(got, want) {
			t.Errorf("%q:\n got %+v, %v\nwant %+v, %v", body, got, err, want, wantErr)
		}
	}
}

func ofSDK(out *s3.ListObjectsV2Output) listing {
	l := listing{EncodingType: string(out.EncodingType), IsTruncated: aws.ToBool(out.IsTruncated), NextContinuationToken: aws.ToString(out.NextContinuationToken)}
	for _, o := range out.Contents {
		l.Contents = append(l.Contents, listed{Key: aws.ToString(o.Key), ETag: aws.ToString(o.ETag), Size: o.Size, StorageClass: string(o.StorageClass)})
	}
	for _, p := range out.CommonPrefixes {
		l.CommonPrefixes = append(l.CommonPrefixes, commonPrefix{aws.ToString(p.Prefix)})
	}
	return l
}

// TestScannerIsUsed: what S3 sends does not go through encoding/xml.
func TestScannerIsUsed(t *testing.T) {
	t.Parallel()
	for _, body := range listings[:4] {
		if _, ok := scanListing([]byte(body)); !ok {
			t.Errorf("not read: %s", body)
		}
	}
}

// FuzzScanListing: what the scanner reads, encoding/xml reads too, and as the same.
func FuzzScanListing(f *testing.F) {
	for _, body := range listings {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, ok := scanListing([]byte(body))
		if !ok {
			return
		}
		var want listing
		if err := decode([]byte(body), listRoot, &want); err != nil {
			t.Fatalf("%q: read as %+v, but %v", body, got, err)
		}
		if !gocmp.Equal(got, want, cmpopts.EquateEmpty()) {
			t.Errorf("%q:\n got %+v\nwant %+v", body, got, want)
		}
	})
}

// fixed is a transport that answers each request with the same body.
type fixed string

func (f fixed) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: http.Header{},
		ContentLength: int64(len(f)), Body: io.NopCloser(strings.NewReader(string(f))),
	}, nil
}

func codeIn(err error) string {
	var e *bucket.Error
	if errors.As(err, &e) {
		return cmp.Or(e.Code, "?")
	}
	return ""
}
