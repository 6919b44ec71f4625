package s3bucket

import (
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	gocmp "github.com/google/go-cmp/cmp"

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

var copyAnswers = []string{
	declaration + `<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LastModified>2026-11-25T03:34:33.000Z</LastModified><ETag>&quot;e&quot;</ETag></CopyObjectResult>`,
	"<CopyObjectResult>\n <ETag>\"e\"</ETag>\n <ChecksumCRC32>x</ChecksumCRC32>\n</CopyObjectResult>",
	declaration + `<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`,
	`<CopyObjectResult><ETag>"e"</ETag>`,
	`<CopyObjectResult/>`,
	``,
}

// TestLeanAsSDK: the short way through an answer comes to what the SDK's way comes to.
func TestLeanAsSDK(t *testing.T) {
	t.Parallel()
	for _, body := range listings {
		compareLists(t, body)
	}
	for _, body := range copyAnswers {
		compareCopies(t, body)
	}
}

// TestLeanIsUsed: what S3 sends needs none of the SDK's way.
func TestLeanIsUsed(t *testing.T) {
	t.Parallel()
	for _, body := range listings[:4] {
		if _, ok := readList([]byte(body)); !ok {
			t.Errorf("not read: %s", body)
		}
	}
	for _, body := range copyAnswers[:2] {
		if _, ok := readCopy([]byte(body)); !ok {
			t.Errorf("not read: %s", body)
		}
	}
}

func FuzzLeanList(f *testing.F) {
	for _, body := range listings {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) { compareLists(t, body) })
}

func FuzzLeanCopy(f *testing.F) {
	for _, body := range copyAnswers {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) { compareCopies(t, body) })
}

// fixed is a transport that answers each request with the same body.
type fixed string

func (f fixed) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: http.Header{},
		ContentLength: int64(len(f)), Body: io.NopCloser(strings.NewReader(string(f))),
	}, nil
}

// bothWays are a bucket that reads answers the short way, and one that leaves it to the SDK. Neither tries anything again.
func bothWays(t testing.TB, body string) (short, sdk *Bucket) {
	t.Helper()
	cfg := config(fixed(body))
	short, sdk = New(NewClient(cfg, 1), "media.angel-nft.com"), New(NewClient(cfg, 1), "media.angel-nft.com")
	once := short.copying[0] // the option of calls that are made once
	short.listing = append(short.listing, once)
	sdk.listing = []func(*s3.Options){once, s3.WithAPIOptions(lean("ListBucketResult", readNothing))}
	sdk.copying = []func(*s3.Options){once, s3.WithAPIOptions(lean("CopyObjectResult", readNothing))}
	return short, sdk
}

func compareLists(t *testing.T, body string) {
	t.Helper()
	short, sdk := bothWays(t, body)
	got, err := short.ListObjects(t.Context(), bucket.ListInput{Prefix: "a/"})
	want, wantErr := sdk.ListObjects(t.Context(), bucket.ListInput{Prefix: "a/"})
	if err == nil && wantErr != nil && isWellFormed(body) {
		return // the SDK stumbled over a field that the adapter does not ask for
	}
	if codeIn(err) != codeIn(wantErr) || !gocmp.Equal(got, want) {
		t.Errorf("%q:\n got %+v, %v\nwant %+v, %v", body, got, err, want, wantErr)
	}
}

func compareCopies(t *testing.T, body string) {
	t.Helper()
	short, sdk := bothWays(t, body)
	got, err := short.CopyObject(t.Context(), "a", "b", "")
	want, wantErr := sdk.CopyObject(t.Context(), "a", "b", "")
	if err == nil && wantErr != nil && isWellFormed(body) {
		return // the SDK stumbled over a field that the adapter does not ask for
	}
	if codeIn(err) != codeIn(wantErr) || got != want {
		t.Errorf("%q:\n got %q, %v\nwant %q, %v", body, got, err, want, wantErr)
	}
}

// isWellFormed also wants the root to be the result.
func isWellFormed(body string) bool {
	root := ""
	for d := xml.NewDecoder(strings.NewReader(body)); ; {
		token, err := d.Token()
		if err != nil {
			return errors.Is(err, io.EOF) && strings.HasSuffix(root, "Result")
		}
		if tag, ok := token.(xml.StartElement); ok {
			root = cmp.Or(root, tag.Name.Local)
		}
	}
}

func codeIn(err error) string {
	var e *bucket.Error
	if errors.As(err, &e) {
		return cmp.Or(e.Code, "?")
	}
	return ""
}
