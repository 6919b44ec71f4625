package s3bucket

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// BenchmarkCopyObject is what a copy costs over a connection, in the adapter and, as the measure,
// in the SDK with its own settings.
func BenchmarkCopyObject(b *testing.B) {
	const src = "tuttle_twins/s01e01/default_eng/v1/frames/thumbnails/TT_S01_E01_FRM-00-00-08-12.jpg"
	const dst = "tuttle_twins/ML/train/Rare/TT_S01_E01_FRM-00-00-08-12.jpg"
	cfg := config(nil)
	cfg.BaseEndpoint = aws.String(granting(b))
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

const copyAnswer = declaration + `<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
	`<LastModified>2026-11-25T03:34:33.000Z</LastModified><ETag>&quot;e&quot;</ETag></CopyObjectResult>`

// granting starts a server that grants each copy at once, with as little work as can be: what is
// left is the client's own cost.
func granting(b *testing.B) (url string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s", len(copyAnswer), copyAnswer)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close() //nolint:errcheck // Nobody asks how it ended.
				lines := bufio.NewScanner(c)
				for lines.Scan() {
					if len(lines.Bytes()) > 0 {
						continue
					}
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// BenchmarkListObjects is what a page of a listing costs, by the adapter and by the SDK.
func BenchmarkListObjects(b *testing.B) {
	var page strings.Builder
	page.WriteString(declaration + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>`)
	for i := range bucket.MaxListKeys {
		fmt.Fprintf(&page, `<Contents><Key>tuttle_twins/ML/train/Rare/TT_S01_E01_FRM-00-%02d-%02d-%02d.jpg</Key><LastModified>2026-11-25T03:34:33.000Z</LastModified>`+
			`<ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag><Size>43421</Size><StorageClass>STANDARD</StorageClass></Contents>`, i/1440, i/24%60, i%24)
	}
	page.WriteString(`</ListBucketResult>`)
	client, name := NewClient(config(fixed(page.String())), 1), "media.angel-nft.com"
	b.Run("sdk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if page, err := client.ListObjectsV2(b.Context(), &s3.ListObjectsV2Input{Bucket: &name}); err != nil || len(page.Contents) != bucket.MaxListKeys {
				b.Fatal(err)
			}
		}
	})
	b.Run("adapter", func(b *testing.B) {
		adapter := New(client, name)
		b.ReportAllocs()
		for b.Loop() {
			if page, err := adapter.ListObjects(b.Context(), bucket.ListInput{}); err != nil || len(page.Objects) != bucket.MaxListKeys {
				b.Fatal(len(page.Objects), err)
			}
		}
	})
}
