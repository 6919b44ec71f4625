package sqsqueue_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqsqueue"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// An answer that stops in the middle is given up and asked for again.
func TestAnswerStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const whole = `{"Messages":[{"Body":"hello","ReceiptHandle":"r","MessageId":"m"}]}`
		asked := 0
		client := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
			tr.DialContext = testenv.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				// A pipe has no room: who answers at once does so before the client has done with
				// sending, and it hangs up.
				_, _ = io.Copy(io.Discard, r.Body)
				<-time.After(time.Second)
				if asked++; asked > 1 {
					reply(w, http.StatusOK, whole)
					return
				}
				reply(w, http.StatusOK, whole[:len(whole)/2])
				w.(http.Flusher).Flush()
				<-r.Context().Done() // the client has gone
			}))
		})
		cfg := aws.Config{
			Region: "us-east-1", BaseEndpoint: aws.String("http://server"), HTTPClient: client,
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		}
		q, err := sqsqueue.New(t.Context(), sqsqueue.NewClient(cfg, 1), queueURL)
		if err != nil {
			t.Fatal(err)
		}
		got, err := q.ReceiveMessage(t.Context(), 1, queue.MaxWait)
		if err != nil || len(got) != 1 || got[0].Body != "hello" || asked != 2 {
			t.Errorf("%v, %v after %d requests", got, err, asked)
		}
	})
}
