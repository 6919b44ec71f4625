package s3bucket

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// serving is a bucket whose server counts what reaches it.
func serving(t *testing.T, provider aws.CredentialsProvider, answer func(*http.Request) reply) (b *Bucket, requests *int) {
	requests = new(int)
	cfg := config(awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.DialContext = testenv.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			*requests++
			a := answer(r)
			for name, values := range a.header {
				w.Header()[name] = values
			}
			w.WriteHeader(a.status)
			_, _ = w.Write([]byte(a.body))
		}))
	}))
	cfg.BaseEndpoint = aws.String("http://server")
	if provider != nil {
		cfg.Credentials = provider
	}
	return New(NewClient(cfg, 8), "media.angel-nft.com"), requests
}

// TestRequests counts at the server. A copy is sent once, whatever the answer: its worker decides
// on another. So is a listing that is refused; one that may succeed later is repeated as the
// retryer decides.
func TestRequests(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer reply
		lists  int
	}{
		{"too fast", answer(503, errorBody("SlowDown")), attempts},
		{"failed within the answer", answer(200, errorBody("InternalError")), attempts},
		{"a proxy's", answer(502, "<html>"), attempts},
		{"empty", answer(200, ""), attempts},
		{"no bucket", answer(404, errorBody("NoSuchBucket")), 1},
		{"another source", answer(412, errorBody("PreconditionFailed")), 1},
		{"without a right", answer(403, errorBody("AccessDenied")), 1},
		{"a wrong signature", answer(403, errorBody("SignatureDoesNotMatch")), 1},
		{"a wrong time, of the same clock", answer(403, errorBody("RequestTimeTooSkewed")), 1},
		{"an expired token", answer(400, errorBody("ExpiredToken")), 1},
		{"another region", answer(400, errorBody("AuthorizationHeaderMalformed")), 1},
		{"an archived source", answer(403, errorBody("InvalidObjectState")), 1},
		{"a bucket whose requester pays", answer(403, errorBody("AccessDenied"), "X-Amz-Request-Charged", "requester"), 1},
		{"a redirect", answer(301, errorBody("PermanentRedirect")), 1},
		{"a web page", answer(200, "<html>Sign in</html>"), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, requests := serving(t, nil, func(*http.Request) reply { return test.answer })
				for call, want := range map[string]int{"copy": 1, "list": test.lists} {
					*requests = 0
					_, err := b.CopyObject(t.Context(), "src", "dst", "abc")
					if call == "list" {
						*requests = 0
						_, err = b.ListObjects(t.Context(), bucket.ListInput{})
					}
					if err == nil || *requests != want {
						t.Errorf("%s: %v after %d requests, want %d", call, err, *requests, want)
					}
				}
			})
		})
	}
}

// TestWrongClock: S3 refuses what is signed by a clock that is more than 15 minutes off, and has
// done nothing. A listing is signed again by S3's clock. A copy fails once, as transient, and the
// next one is signed by S3's clock.
func TestWrongClock(t *testing.T) {
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(fmt.Sprint(ahead), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				skew := ahead
				s3 := func(r *http.Request) reply {
					now := time.Now().Add(skew)
					date := []string{"Date", now.UTC().Format(http.TimeFormat)}
					at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
					switch {
					case err != nil || now.Sub(at).Abs() > 15*time.Minute:
						return answer(403, errorBody("RequestTimeTooSkewed"), date...)
					case r.Method == http.MethodPut:
						return answer(200, copied, date...)
					}
					return answer(200, page, date...)
				}
				copying := func(b *Bucket) error {
					_, err := b.CopyObject(t.Context(), "src", "dst", "abc")
					return err
				}
				b, requests := serving(t, nil, s3)
				if _, err := b.ListObjects(t.Context(), bucket.ListInput{}); err != nil || *requests != 2 {
					t.Errorf("list: %v after %d requests", err, *requests)
				}
				if err := copying(b); err != nil || *requests != 3 {
					t.Errorf("copy after the list: %v after %d requests", err, *requests)
				}
				skew = 0 // this machine's clock is set
				wantCode(t, copying(b), "RequestTimeTooSkewed", 403)
				if err := copying(b); err != nil || *requests != 5 {
					t.Errorf("copy after the clock was set: %v after %d requests", err, *requests)
				}
			})
		})
	}
}

// TestCredentialsExpire: the provider's are used until they expire, then its next ones. An answer
// that the token has expired is the caller's to handle; the next request has what the provider
// holds then.
func TestCredentialsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lifetime = time.Hour
		retrieved := 0
		provider := aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			retrieved++
			id := fmt.Sprint("id", retrieved)
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: "s", SessionToken: "token of " + id, CanExpire: true, Expires: time.Now().Add(lifetime)}, nil
		}))
		refused := ""
		b, requests := serving(t, provider, func(r *http.Request) reply {
			_, id, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
			id, _, _ = strings.Cut(id, "/")
			if r.Header.Get("X-Amz-Security-Token") != "token of "+id {
				t.Errorf("%s has the token %q", id, r.Header.Get("X-Amz-Security-Token"))
			}
			if id == refused {
				return answer(400, errorBody("ExpiredToken"))
			}
			return answer(200, copied)
		})
		for i, want := range []int{1, 1, 2, 2} {
			if _, err := b.CopyObject(t.Context(), "src", "dst", "abc"); err != nil || retrieved != want {
				t.Errorf("copy %d: %v with credentials retrieved %d times, want %d", i, err, retrieved, want)
			}
			time.Sleep(2 * lifetime / 3) //nolint:forbidigo // synctest's clock
		}
		refused = "id3"
		_, err := b.CopyObject(t.Context(), "src", "dst", "abc")
		wantCode(t, err, "ExpiredToken", 400)
		time.Sleep(lifetime) //nolint:forbidigo // synctest's clock
		if _, err := b.CopyObject(t.Context(), "src", "dst", "abc"); err != nil || *requests != 6 || retrieved != 4 {
			t.Errorf("%v after %d requests, credentials retrieved %d times", err, *requests, retrieved)
		}
	})
}
