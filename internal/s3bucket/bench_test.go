package s3bucket

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// instant is a transport that answers every CopyObject at once: what is left is the client's own cost.
type instant struct{}

func (instant) Do(r *http.Request) (*http.Response, error) {
	const body = `<?xml version="1.0" encoding="UTF-8"?>
<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LastModified>2026-11-25T03:34:33.000Z</LastModified><ETag>"0cc175b9c0f1b6a831c399e269772661"</ETag></CopyObjectResult>`
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"application/xml"}, "Date": {"Wed, 25 Nov 2026 03:34:33 GMT"}},
		ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// BenchmarkCopyObject is what a copy costs before and after the connection, in the adapter and, as the measure, in the SDK with its own
// settings.
func BenchmarkCopyObject(b *testing.B) {
	const src = "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/TT_S01_E01_FRM-00-00-08-12.jpg"
	const dst = "tuttle_twins/ML/train/Rare/TT_S01_E01_FRM-00-00-08-12.jpg"
	cfg := testConfig(b, "http://127.0.0.1:4566")
	cfg.HTTPClient = instant{}
	b.Run("sdk", func(b *testing.B) {
		client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
		bucket, key, source := "media.angel-nft.com", dst, "media.angel-nft.com/"+src
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.CopyObject(b.Context(), &s3.CopyObjectInput{Bucket: &bucket, Key: &key, CopySource: &source}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("adapter", func(b *testing.B) {
		bucket := New(NewClient(cfg, 64), "media.angel-nft.com")
		b.ReportAllocs()
		for b.Loop() {
			if _, err := bucket.CopyObject(b.Context(), src, dst, "0cc175b9c0f1b6a831c399e269772661"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
