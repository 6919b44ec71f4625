package s3bucket

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// service answers copies over HTTP, and keeps what it was asked.
type service struct {
	mu     sync.Mutex
	asked  []*http.Request
	answer func(*http.Request) reply
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r)
	a := s.answer(r)
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
	if a.cut {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// ways says of each request since the last call whether it was the SDK's.
func (s *service) ways() (sdk []bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.asked {
		sdk = append(sdk, bySDK(r))
	}
	s.asked = nil
	return sdk
}

// bySDK says whether a request is the SDK's, which numbers its attempts.
func bySDK(r *http.Request) bool { return r.Header.Get("Amz-Sdk-Request") != "" }

// serve gives a bucket of the service that has made its first copy, which is the SDK's.
func serve(t *testing.T, options ...func(*aws.Config)) (*Bucket, *service) {
	t.Helper()
	s := &service{answer: always(200, copied)}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	cfg := config(nil)
	cfg.BaseEndpoint = &server.URL
	for _, option := range options {
		option(&cfg)
	}
	b := New(NewClient(cfg, 8), "media.angel-nft.com")
	mustCopy(t, b)
	if ways := s.ways(); !slices.Equal(ways, []bool{true}) {
		t.Fatalf("the first copy was made by %v", ways)
	}
	return b, s
}

func mustCopy(t *testing.T, b *Bucket) {
	t.Helper()
	if etag, err := b.CopyObject(t.Context(), "a/src.jpg", "b/dst.jpg", "abc"); etag != "e1" || err != nil {
		t.Fatalf("copy: %q, %v", etag, err)
	}
}

// TestShortcutAsSDK: the same request, save for what numbers the SDK's attempts, and with a good signature.
func TestShortcutAsSDK(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", "session"} {
		b, s := serve(t, func(cfg *aws.Config) {
			cfg.Credentials = credentials.NewStaticCredentialsProvider("id", "secret", token)
		})
		mustCopy(t, b)
		b.shortcut.client.Forget(b.shortcut.client.Model())
		mustCopy(t, b)
		short, sdk := s.asked[0], s.asked[1]
		if bySDK(short) || !bySDK(sdk) {
			t.Fatalf("made by %v", s.ways())
		}
		if short.Method != sdk.Method || short.URL.String() != sdk.URL.String() || short.Host != sdk.Host || short.ContentLength != sdk.ContentLength {
			t.Errorf("%s %s of %s, want %s %s of %s", short.Method, short.URL, short.Host, sdk.Method, sdk.URL, sdk.Host)
		}
		for name := range sdk.Header {
			switch got, want := short.Header.Values(name), sdk.Header.Values(name); {
			case strings.HasPrefix(name, "Amz-Sdk-"):
			case name == "Authorization": // signs the others, see package direct
				scope := func(v []string) string {
					before, _, _ := strings.Cut(strings.Join(v, ""), ", SignedHeaders")
					return before
				}
				if scope(got) != scope(want) {
					t.Errorf("signed for %q, want %q", scope(got), scope(want))
				}
			case name == "X-Amz-Date":
				if len(got) != 1 || len(got[0]) != len(want[0]) {
					t.Errorf("%s: %q, want one like %q", name, got, want)
				}
			case !slices.Equal(got, want):
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if (short.Header.Get("X-Amz-Security-Token") != "") != (token != "") {
			t.Errorf("token %q", short.Header.Get("X-Amz-Security-Token"))
		}
	}
}

// TestShortcutFails: every failure comes to what it comes to by the SDK. The next copy is the SDK's after no answer, and after one that finds fault
// with how it was asked.
func TestShortcutFails(t *testing.T) {
	t.Parallel()
	cut := answer(200, copied[:20])
	cut.cut = true
	for _, test := range []struct {
		name   string
		reply  reply
		code   string
		status int
		again  bool // by the SDK, within the same call
		forget bool // the next copy is the SDK's
	}{
		{"too fast", answer(503, errorBody("SlowDown")), bucket.CodeSlowDown, 503, false, false},
		{"too fast, without a word", answer(503, ""), bucket.CodeSlowDown, 503, false, false},
		{"failed within the answer", answer(200, errorBody("InternalError")), bucket.CodeInternal, 500, false, false},
		{"another source", answer(412, errorBody("PreconditionFailed")), bucket.CodePrecondition, 412, false, false},
		{"no source", answer(404, errorBody("NoSuchKey")), bucket.CodeNoSuchKey, 404, false, false},
		{"under way", answer(409, errorBody("OperationAborted")), bucket.CodeConflict, 409, false, false},
		{"a proxy's", answer(502, "<html>"), bucket.CodeInternal, 502, false, false},
		{"cut off", cut, bucket.CodeTransport, 0, false, true},
		{"empty", answer(200, ""), bucket.CodeTransport, 200, false, true},
		{"a web page", answer(200, "<html>Sign in</html>"), bucket.CodeBadAnswer, 200, false, true},
		{"without a right", answer(403, errorBody("AccessDenied")), bucket.CodeAccessDenied, 403, false, true},
		{"a wrong signature", answer(403, errorBody("SignatureDoesNotMatch")), "SignatureDoesNotMatch", 403, true, true},
		{"another region", answer(400, errorBody("AuthorizationHeaderMalformed")), "AuthorizationHeaderMalformed", 400, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b, s := serve(t)
			s.answer = func(*http.Request) reply { return test.reply }
			_, err := b.CopyObject(t.Context(), "a/src.jpg", "b/dst.jpg", "")
			wantCode(t, err, test.code, test.status)
			want := []bool{false}
			if test.again {
				want = append(want, true)
			}
			if ways := s.ways(); !slices.Equal(ways, want) {
				t.Errorf("made by the SDK: %v, want %v", ways, want)
			}
			s.answer = always(200, copied)
			mustCopy(t, b)
			mustCopy(t, b)
			if ways := s.ways(); !slices.Equal(ways, []bool{test.forget, false}) {
				t.Errorf("then made by the SDK: %v", ways)
			}
		})
	}
}

// TestShortcutFollows: credentials that are renewed, and a clock that is set, while copies are made.
func TestShortcutFollows(t *testing.T) {
	t.Parallel()
	secret := "one"
	b, s := serve(t, func(cfg *aws.Config) {
		cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: secret, SecretAccessKey: secret, CanExpire: true, Expires: time.Now().Add(-time.Second)}, nil
		})
	})
	secret = "two"
	mustCopy(t, b)
	if signed := s.asked[0].Header.Get("Authorization"); !strings.Contains(signed, "Credential=two/") || bySDK(s.asked[0]) {
		t.Errorf("signed %q", signed)
	}
	s.ways()
	// From now on S3's clock is an hour ahead, and what is signed by another is refused.
	s.answer = func(r *http.Request) reply {
		at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		now := time.Now().Add(time.Hour)
		if err != nil || now.Sub(at).Abs() > 15*time.Minute {
			return answer(403, errorBody("RequestTimeTooSkewed"), "Date", now.UTC().Format(http.TimeFormat))
		}
		return answer(200, copied, "Date", now.UTC().Format(http.TimeFormat))
	}
	for range 3 { // the SDK learns of it from an answer
		if _, err := b.CopyObject(t.Context(), "a", "b", ""); err == nil {
			break
		}
	}
	s.ways()
	mustCopy(t, b)
	if ways := s.ways(); !slices.Equal(ways, []bool{false}) {
		t.Errorf("after the clock was set, made by the SDK: %v", ways)
	}
}

// TestShortcutIsNotTaken: what it is not made for is left to the SDK.
func TestShortcutIsNotTaken(t *testing.T) {
	t.Parallel()
	b, s := serve(t)
	for _, key := range []string{"a b", "a+b", "ä", "a\r\nb: c", "a?b"} {
		if _, err := b.CopyObject(t.Context(), "src", key, ""); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	if ways := s.ways(); slices.Contains(ways, false) {
		t.Errorf("made by the SDK: %v", ways)
	}
	for _, key := range []string{"a b", "ä", "a\r\nb: c"} { // of a source, and so escaped
		if _, err := b.CopyObject(t.Context(), key, "dst", ""); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	if ways := s.ways(); slices.Contains(ways, true) {
		t.Errorf("made by the SDK: %v", ways)
	}
	if _, err := b.CopyObject(t.Context(), "src", "dst", "a\r\nb: c"); err == nil {
		t.Error("an ETag of two lines was sent")
	}
	if newShortcut(NewClient(config(doer(nil)), 1)) != nil {
		t.Error("another HTTP client has a shortcut")
	}
	anonymous, s := serve(t, func(cfg *aws.Config) { cfg.Credentials = aws.AnonymousCredentials{} })
	mustCopy(t, anonymous)
	if ways := s.ways(); !slices.Equal(ways, []bool{true}) {
		t.Errorf("without credentials, made by the SDK: %v", ways)
	}
}
