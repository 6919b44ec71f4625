package sqsqueue_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqsqueue"
)

// doer is an HTTP client that is a function.
type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// TestRetries: throttled and failed calls are tried again, receives less often, and refused ones
// not at all.
func TestRetries(t *testing.T) {
	send := batchCalls["SendMessageBatch"]
	receive := func(ctx context.Context, q *sqsqueue.Queue) ([]queue.Failure, error) {
		_, err := q.ReceiveMessage(ctx, 1, queue.MaxWait)
		return nil, err
	}
	for _, tc := range []struct {
		name, code string
		status     int
		call       func(context.Context, *sqsqueue.Queue) ([]queue.Failure, error)
		want       int
	}{
		{"send, throttled", "RequestThrottled", 400, send, 8},
		{"send, unavailable", "ServiceUnavailable", 503, send, 8},
		{"send, refused", "AccessDeniedException", 400, send, 1},
		{"receive, unavailable", "ServiceUnavailable", 503, receive, 3},
		{"receive, refused", "AccessDeniedException", 400, receive, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				cfg := aws.Config{
					Region:      "us-east-1",
					Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
					HTTPClient: doer(func(*http.Request) (*http.Response, error) {
						attempts++
						return &http.Response{
							StatusCode: tc.status,
							Header:     http.Header{"X-Amzn-Query-Error": {tc.code + ";Sender"}},
							Body:       io.NopCloser(strings.NewReader(`{"__type":"` + tc.code + `"}`)),
						}, nil
					}),
				}
				q, err := sqsqueue.New(t.Context(), sqsqueue.NewClient(cfg, 1), queueURL)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tc.call(t.Context(), q); err == nil || !strings.Contains(err.Error(), tc.code) {
					t.Errorf("error %v, want %s", err, tc.code)
				}
				if attempts != tc.want {
					t.Errorf("%d attempts, want %d", attempts, tc.want)
				}
			})
		})
	}
}

// TestReceiveEndsWithContext: the long poll of a process that shuts down ends at once, and with the
// context's error.
func TestReceiveEndsWithContext(t *testing.T) {
	arrived, hold := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-hold
	}))
	defer server.Close()
	defer close(hold)
	q, err := sqsqueue.New(t.Context(), newClient(t, server.URL), queueURL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := q.ReceiveMessage(ctx, 1, queue.MaxWait); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// TestConnectionsAreKept: 40 calls at a time, again and again, use 40 connections.
func TestConnectionsAreKept(t *testing.T) {
	const atOnce, rounds = 40, 5
	var connections atomic.Int64
	waiting, all := make(chan struct{}, atOnce), make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		waiting <- struct{}{}
		<-all
		reply(w, 200, `{}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	q, err := sqsqueue.New(t.Context(), newClient(t, server.URL), queueURL)
	if err != nil {
		t.Fatal(err)
	}
	for range rounds {
		var g errgroup.Group
		for range atOnce {
			g.Go(func() error {
				_, err := q.ReceiveMessage(t.Context(), 1, 0)
				return err
			})
		}
		for range atOnce { // Each call of a round has a connection of its own before the first is answered.
			<-waiting
		}
		for range atOnce {
			all <- struct{}{}
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	// A connection may be dialled for a call that another's then serves.
	if n := connections.Load(); n < atOnce || n > atOnce+atOnce/4 {
		t.Errorf("%d connections for %d calls at a time", n, atOnce)
	}
}

func TestTransport(t *testing.T) {
	built := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.MaxResponseHeaderBytes = 12345 })
	for name, given := range map[string]aws.HTTPClient{"none": nil, "the SDK's own": built} {
		client := sqsqueue.NewClient(aws.Config{HTTPClient: given}, 300).Options().HTTPClient
		transport := client.(*awshttp.BuildableClient).GetTransport()
		if transport.MaxIdleConnsPerHost != 300 || transport.MaxIdleConns < 300 {
			t.Errorf("%s: %d and %d idle connections, want 300", name, transport.MaxIdleConnsPerHost, transport.MaxIdleConns)
		}
		if transport.ResponseHeaderTimeout < queue.MaxWait+5*time.Second {
			t.Errorf("%s: an answer may take %s only", name, transport.ResponseHeaderTimeout)
		}
		if given != nil && transport.MaxResponseHeaderBytes != 12345 {
			t.Errorf("%s: the options that it had are lost", name)
		}
	}
}
