package s3bucket

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sdkconfig "github.com/aws/aws-sdk-go-v2/config"
	"pgregory.net/rapid"
)

func TestBucketInHostOrPath(t *testing.T) {
	tests := []struct{ name, bucket, endpoint, env, host, path string }{
		{"Amazon", "plain", "", "", "plain.s3.us-west-2.amazonaws.com", "/key"},
		{"Amazon, dots", "media.angel-nft.com", "", "", "s3.us-west-2.amazonaws.com", "/media.angel-nft.com/key"},
		{"endpoint", "plain", "http://127.0.0.1:1", "", "127.0.0.1:1", "/plain/key"},
		{"AWS_ENDPOINT_URL", "plain", "", "AWS_ENDPOINT_URL", "localhost:2", "/plain/key"},
		{"AWS_ENDPOINT_URL_S3", "plain", "", "AWS_ENDPOINT_URL_S3", "localhost:2", "/plain/key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.env != "" {
				t.Setenv(tt.env, "http://localhost:2")
			}
			cfg, err := sdkconfig.LoadDefaultConfig(t.Context(),
				sdkconfig.WithSharedConfigFiles(nil), sdkconfig.WithSharedCredentialsFiles(nil))
			if err != nil {
				t.Fatal(err)
			}
			var got *http.Request
			base := config(doer(func(r *http.Request) (*http.Response, error) {
				got = r
				return answer(200, copied).response()
			}))
			cfg.Region, cfg.Credentials, cfg.HTTPClient = base.Region, base.Credentials, base.HTTPClient
			if tt.endpoint != "" {
				cfg.BaseEndpoint = aws.String(tt.endpoint)
			}
			if _, err := New(NewClient(cfg, 8), tt.bucket).CopyObject(t.Context(), "src", "key", ""); err != nil {
				t.Fatal(err)
			}
			if got.URL.Host != tt.host || got.URL.Path != tt.path {
				t.Errorf("request to %s of %s, want %s of %s", got.URL.Path, got.URL.Host, tt.path, tt.host)
			}
		})
	}
}

// TestConnectionsAreKept makes rounds of as many copies at a time as there are slots. With the
// SDK's own ten idle connections each round would open most of them anew.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const slots, rounds = 32, 10
	var opened atomic.Int64
	together := newRound(slots)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		together.wait()
		_, _ = io.WriteString(w, copied)
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	cfg := config(nil)
	cfg.BaseEndpoint = &srv.URL
	b := New(NewClient(cfg, slots), "b")
	for range rounds {
		var wg sync.WaitGroup
		for range slots {
			wg.Go(func() {
				if _, err := b.CopyObject(t.Context(), "src", "dst", ""); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	// A connection may be dialled for a request that another's then serves.
	if n := opened.Load(); n > 2*slots {
		t.Errorf("%d connections for %d requests at a time", n, slots)
	}
}

// round lets n requests go on together.
type round struct {
	mu      sync.Mutex
	n, here int
	open    chan struct{}
}

func newRound(n int) *round { return &round{n: n, open: make(chan struct{})} }

func (r *round) wait() {
	r.mu.Lock()
	open := r.open
	if r.here++; r.here == r.n {
		r.here, r.open = 0, make(chan struct{})
		close(open)
	}
	r.mu.Unlock()
	<-open
}

func TestTransportOfTheConfigIsKept(t *testing.T) {
	t.Parallel()
	own := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) { tr.ReadBufferSize = 12345 })
	got, ok := pool(300).HTTPClient(own).(*awshttp.BuildableClient)
	if !ok {
		t.Fatal("the client changed its kind")
	}
	if tr := got.GetTransport(); tr.ReadBufferSize != 12345 || tr.MaxIdleConnsPerHost != 300 || tr.MaxIdleConns != 600 {
		t.Errorf("transport: buffer %d, idle a host %d, idle %d", tr.ReadBufferSize, tr.MaxIdleConnsPerHost, tr.MaxIdleConns)
	} else if tr.ResponseHeaderTimeout != answerTimeout {
		t.Errorf("an answer may take %s, want %s", tr.ResponseHeaderTimeout, answerTimeout)
	}
}

// TestEscapedPathIsPlain checks what the header of a copy's source may hold, and that nothing is
// lost; TestCopyRequest has the examples.
func TestEscapedPathIsPlain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.String().Draw(t, "key")
		escaped := escapePath(key)
		if i := strings.IndexFunc(escaped, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`+?#&"<>\^{|}`, r) }); i >= 0 {
			t.Fatalf("%q has %q", escaped, escaped[i])
		}
		if got, err := decodeKey(escaped); err != nil || got != key {
			t.Fatalf("%q is %q, %v; want %q", escaped, got, err, key)
		}
	})
}
