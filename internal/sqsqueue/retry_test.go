package sqsqueue_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqsqueue"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// TestRequests counts what reaches the server: a call that SQS refuses is not sent again, one that
// may succeed later is sent until it does.
func TestRequests(t *testing.T) {
	for name, test := range map[string]struct {
		first    func(http.ResponseWriter)
		requests int
		succeeds bool
	}{
		"granted":     {func(w http.ResponseWriter) { reply(w, 200, `{"Successful":[{"Id":"0"}]}`) }, 1, true},
		"refused":     {func(w http.ResponseWriter) { reply(w, 403, `{"__type":"InvalidSignatureException"}`) }, 1, false},
		"unavailable": {func(w http.ResponseWriter) { reply(w, 503, `{"__type":"ServiceUnavailable"}`) }, 2, true},
		"cut off":     {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
					tr.DialContext = testenv.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if err := json.NewDecoder(r.Body).Decode(new(any)); err != nil {
							t.Error(err)
						}
						if requests++; requests == 1 {
							test.first(w)
							return
						}
						reply(w, 200, `{"Successful":[{"Id":"0"}]}`)
					}))
				})
				q, err := sqsqueue.New(t.Context(), sqsqueue.NewClient(aws.Config{
					Region: "us-east-1", BaseEndpoint: aws.String("http://server"), HTTPClient: client,
					Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
				}, 1), queueURL)
				if err != nil {
					t.Fatal(err)
				}
				_, err = q.SendMessageBatch(t.Context(), []queue.Entry{{Body: "a"}})
				if requests != test.requests || (err == nil) != test.succeeds {
					t.Errorf("%v after %d requests, want %d", err, requests, test.requests)
				}
			})
		})
	}
}
