package sqsqueue_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqsqueue"
)

// TestShortcutAsSDK: the shortcut asks for what the SDK asks for.
func TestShortcutAsSDK(t *testing.T) {
	for name, call := range map[string]func(context.Context, *sqsqueue.Queue) error{
		"SendMessageBatch": func(ctx context.Context, q *sqsqueue.Queue) error {
			_, err := q.SendMessageBatch(ctx, []queue.Entry{{Body: "<a&\"\u2028>"}, {Body: "{}", Attributes: map[string]string{"run": "r", "code": "ä"}}})
			return err
		},
		"DeleteMessageBatch": func(ctx context.Context, q *sqsqueue.Queue) error {
			_, err := q.DeleteMessageBatch(ctx, []string{"a", "b+/="})
			return err
		},
	} {
		q, heard := answering(t, 200, `{"Successful":[{"Id":"0"},{"Id":"1"}]}`)
		for range 2 {
			if err := call(t.Context(), q); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if !reflect.DeepEqual(heard.bodies[0], heard.bodies[1]) || !slices.Equal(heard.names, []string{name, name}) || !slices.Equal(heard.sdk, []bool{true, false}) {
			t.Errorf("%v by the SDK %v:\n got %v\nwant %v", heard.names, heard.sdk, heard.bodies[1], heard.bodies[0])
		}
	}
}

// TestShortcutFails: what does not succeed is left to the SDK, which tries again.
func TestShortcutFails(t *testing.T) {
	const done = `{"Successful":[{"Id":"0"}]}`
	for name, bad := range map[string]func(http.ResponseWriter){
		"unavailable": func(w http.ResponseWriter) { reply(w, 503, `{"__type":"ServiceUnavailable"}`) },
		"refused":     func(w http.ResponseWriter) { reply(w, 403, `{"__type":"InvalidSignatureException"}`) },
		"no JSON":     func(w http.ResponseWriter) { reply(w, 200, `{"Successful":[`) },
		"cut off":     func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex // a connection that is cut off orders nothing
			var sdk []bool
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := json.NewDecoder(r.Body).Decode(new(any)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				by := r.Header.Get("Amz-Sdk-Request") != ""
				if sdk = append(sdk, by); !by && len(sdk) <= 3 { // a request of which nothing was heard is made twice
					bad(w)
					return
				}
				reply(w, 200, done)
			}))
			defer server.Close()
			q, err := sqsqueue.New(t.Context(), newClient(t, server.URL), queueURL)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if failed, err := q.SendMessageBatch(t.Context(), []queue.Entry{{Body: "a"}}); err != nil || len(failed) > 0 {
					t.Errorf("%v, %v", failed, err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if want := []bool{true, false, true, false}; !slices.Equal(sdk, want) {
				t.Errorf("by the SDK: %v, want %v", sdk, want)
			}
		})
	}
}
