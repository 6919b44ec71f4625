package s3bucket

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// stopped is the context of a process that was stopped until after its deadline: its timers have
// not rung yet.
type stopped struct {
	context.Context
	until time.Time
}

func (s stopped) Deadline() (time.Time, bool) { return s.until, true }

// TestLateWritesAreNotSent: over new connections and kept ones, plain and encrypted.
func TestLateWritesAreNotSent(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		var requests atomic.Int64
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			requests.Add(1)
			_, _ = io.WriteString(w, copied)
		}))
		start := srv.Start
		if secure {
			start = srv.StartTLS
		}
		start()
		t.Cleanup(srv.Close)
		cfg := config(nil)
		cfg.BaseEndpoint = &srv.URL
		cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
			tr.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
		})
		b := New(NewClient(cfg, 1), "b")
		late := stopped{t.Context(), time.Now().Add(-time.Millisecond)}
		early := stopped{t.Context(), time.Now().Add(time.Hour)}
		for i, ctx := range []context.Context{late, early, late, t.Context(), late} {
			before := requests.Load()
			_, err := b.CopyObject(ctx, "src", "dst", "")
			sent := requests.Load() > before
			if isLate := ctx == late; errors.Is(err, context.DeadlineExceeded) != isLate || sent == isLate {
				t.Errorf("request %d, TLS %t, late %t: sent %t, %v", i, secure, isLate, sent, err)
			}
		}
		if _, err := b.DeleteObjects(late, []string{"a"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("TLS %t: a late deletion: %v", secure, err)
		}
	}
}
