package s3bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// TestContextEnds: each request fails with the context's error when the context ends while the
// request waits for its answer, by itself or by its deadline. The SDK then calls its interceptors
// without a response.
func TestContextEnds(t *testing.T) {
	calls := map[string]func(context.Context, *Bucket) error{
		"GetObject": func(ctx context.Context, b *Bucket) error { _, err := b.GetObject(ctx, "k", ""); return err },
		"PutObject": func(ctx context.Context, b *Bucket) error {
			_, err := b.PutObject(ctx, "k", []byte("x"), bucket.Condition{})
			return err
		},
		"CopyObject":    func(ctx context.Context, b *Bucket) error { _, err := b.CopyObject(ctx, "k", "l", ""); return err },
		"DeleteObjects": func(ctx context.Context, b *Bucket) error { _, err := b.DeleteObjects(ctx, []string{"k"}); return err },
		"HeadObject":    func(ctx context.Context, b *Bucket) error { _, err := b.HeadObject(ctx, "k"); return err },
		"ListObjectsV2": func(ctx context.Context, b *Bucket) error {
			_, err := b.ListObjects(ctx, bucket.ListInput{})
			return err
		},
	}
	for name, call := range calls {
		for _, want := range []error{context.Canceled, context.DeadlineExceeded} {
			t.Run(fmt.Sprintf("%s, %v", name, want), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					if errors.Is(want, context.DeadlineExceeded) {
						ctx, cancel = context.WithTimeout(t.Context(), time.Second)
					} else {
						time.AfterFunc(time.Second, cancel)
					}
					defer cancel()
					client := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
						tr.DialContext = testenv.Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
							_, _ = io.Copy(io.Discard, r.Body)
							<-r.Context().Done()
						}))
					})
					cfg := config(client)
					endpoint := "http://server"
					cfg.BaseEndpoint = &endpoint
					if err := call(ctx, New(NewClient(cfg, 8), "b")); !errors.Is(err, want) {
						t.Errorf("%v", err)
					}
				})
			})
		}
	}
}
