package s3bucket

import (
	"errors"
	"net/http"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// An answer that sends the request to another region names it in the error.
func TestRegionOfTheBucket(t *testing.T) {
	for _, tc := range []struct {
		name, header, body string
		status             int
		want               string
	}{
		{"301", "eu-west-1", "<Error><Code>PermanentRedirect</Code><Message>x</Message></Error>", 301, "eu-west-1"},
		{"301 of a HEAD or a proxy, without a body", "eu-west-1", "", 301, "eu-west-1"},
		{"400 with the region in the message", "", "<Error><Code>AuthorizationHeaderMalformed</Code>" +
			"<Message>The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'us-west-2'</Message></Error>", 400, "us-west-2"},
		{"a hostile header", "x; rm -rf", "<Error><Code>PermanentRedirect</Code></Error>", 301, ""},
		{"another refusal of a bucket whose region is named", "eu-west-1", "<Error><Code>AccessDenied</Code></Error>", 403, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			client := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
				tr.DialContext = testenv.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if tc.header != "" {
						w.Header().Set("X-Amz-Bucket-Region", tc.header)
					}
					w.WriteHeader(tc.status)
					_, _ = w.Write([]byte(tc.body))
				}))
			})
			cfg, endpoint := config(client), "http://server"
			cfg.BaseEndpoint = &endpoint
			b := New(NewClient(cfg, 8), "b")
			_, listErr := b.ListObjects(t.Context(), bucket.ListInput{})
			_, putErr := b.PutObject(t.Context(), "k", []byte("x"), bucket.Condition{})
			for _, err := range []error{listErr, putErr} {
				got, ok := errors.AsType[*bucket.RegionError](err)
				if ok != (tc.want != "") || ok && got.Region != tc.want {
					t.Errorf("%v, expected the region %q", err, tc.want)
				}
			}
		})
	}
}
