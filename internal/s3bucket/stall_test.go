package s3bucket

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// stalling is a bucket whose server stops in the middle of its first answers, and then gives the
// whole of it.
func stalling(t *testing.T, stalls int, whole string) *Bucket {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.DialContext = testenv.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"e1"`)
			w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
			if stalls--; stalls < 0 {
				_, _ = w.Write([]byte(whole))
				return
			}
			_, _ = w.Write([]byte(whole[:len(whole)/2]))
			w.(http.Flusher).Flush()
			<-r.Context().Done() // the client has gone
		}))
	})
	cfg := config(client)
	endpoint := "http://server"
	cfg.BaseEndpoint = &endpoint
	return New(NewClient(cfg, 8), "b")
}

// An answer whose headers come and whose body does not end is given up and asked for again.
func TestAnswerStalls(t *testing.T) {
	const listed = `<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k</Key><ETag>"e1"</ETag><Size>1</Size></Contents></ListBucketResult>`
	page := strings.Repeat("0123456789", 100)
	for _, test := range []struct {
		call, whole string
		do          func(context.Context, *Bucket) (string, error)
		tries       int
		status      int // of the error
	}{
		{"GetObject", page, func(ctx context.Context, b *Bucket) (string, error) {
			c, err := b.GetObject(ctx, "k", "")
			return string(c.Body), err
		}, bodyTries, 0},
		{"ListObjectsV2", listed, func(ctx context.Context, b *Bucket) (string, error) {
			p, err := b.ListObjects(ctx, bucket.ListInput{})
			if err != nil || len(p.Objects) != 1 || p.Objects[0].Key != "k" {
				return "", err
			}
			return listed, nil
		}, attempts, 200},
	} {
		for _, stalls := range []int{1, test.tries - 1, test.tries} {
			t.Run(fmt.Sprintf("%s %d times", test.call, stalls), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					begun := time.Now()
					got, err := test.do(t.Context(), stalling(t, stalls, test.whole))
					if stalls == test.tries {
						wantCode(t, err, bucket.CodeTransport, test.status)
					} else if err != nil || got != test.whole {
						t.Errorf("%q, %v", got, err)
					}
					const pauses = 20 * time.Second // between two tries, at most
					if took, limit := time.Since(begun), time.Duration(stalls)*(stallTimeout+pauses); took > limit {
						t.Errorf("took %s, want %s at most", took, limit)
					}
				})
			})
		}
	}
}
