package s3bucket

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// TestSignedAsSDK: both signed requests go where the SDK's own calls go, with the same headers,
// signed for the same region and service.
func TestSignedAsSDK(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, bucket, host string
		set                func(*s3.Options)
	}{
		{"host of the bucket", "plain", "plain.s3.us-west-2.amazonaws.com", func(*s3.Options) {}},
		{"path for a name with dots", "media.angel-nft.com", "s3.us-west-2.amazonaws.com", func(*s3.Options) {}},
		{"FIPS", "plain", "plain.s3-fips.us-west-2.amazonaws.com", func(o *s3.Options) { o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled }},
		{"FIPS and dots", "a.b", "s3-fips.us-west-2.amazonaws.com", func(o *s3.Options) { o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled }},
		{"dual stack", "plain", "plain.s3.dualstack.us-west-2.amazonaws.com", func(o *s3.Options) { o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled }},
		{"FIPS and dual stack", "plain", "plain.s3-fips.dualstack.us-west-2.amazonaws.com", func(o *s3.Options) {
			o.EndpointOptions.UseFIPSEndpoint, o.EndpointOptions.UseDualStackEndpoint = aws.FIPSEndpointStateEnabled, aws.DualStackEndpointStateEnabled
		}},
		{"acceleration", "plain", "plain.s3-accelerate.amazonaws.com", func(o *s3.Options) { o.UseAccelerate = true }},
		{"China", "plain", "plain.s3.cn-north-1.amazonaws.com.cn", func(o *s3.Options) { o.Region = "cn-north-1" }},
		{"alias of an access point", "media-metadata123-s3alias", "media-metadata123-s3alias.s3.us-west-2.amazonaws.com", func(*s3.Options) {}},
		{"endpoint", "plain", "127.0.0.1:4566", func(o *s3.Options) { o.BaseEndpoint, o.UsePathStyle = aws.String("http://127.0.0.1:4566"), true }},
		{"endpoint with a path", "a.b", "proxy", func(o *s3.Options) { o.BaseEndpoint, o.UsePathStyle = aws.String("https://proxy/s3/"), true }},
		{"session", "plain", "plain.s3.us-west-2.amazonaws.com", func(o *s3.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider("id", "secret", "session")
		}},
		{"no credentials", "plain", "plain.s3.us-west-2.amazonaws.com", func(o *s3.Options) { o.Credentials = aws.AnonymousCredentials{} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []*http.Request
			client := NewClient(config(doer(func(r *http.Request) (*http.Response, error) {
				got = append(got, r)
				if r.Method == http.MethodPut {
					return answer(200, copied).response()
				}
				return answer(200, "<ListBucketResult></ListBucketResult>").response()
			})), 1)
			client = s3.New(client.Options(), test.set)
			const key = "a/b c+d%é.jpg"
			b, source := New(client, test.bucket), test.bucket+"/"+escapePath(key)
			_, err1 := b.CopyObject(t.Context(), key, key, "abc")
			_, err2 := client.CopyObject(t.Context(), &s3.CopyObjectInput{
				Bucket: &test.bucket, Key: aws.String(key), CopySource: &source, CopySourceIfMatch: quoted("abc"),
			})
			_, err3 := b.ListObjects(t.Context(), bucket.ListInput{Prefix: key, StartAfter: key})
			_, err4 := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{
				Bucket: &test.bucket, Prefix: aws.String(key), StartAfter: aws.String(key), EncodingType: "url",
			})
			if err1 != nil || err2 != nil || err3 != nil || err4 != nil || len(got) != 4 || got[0].URL.Host != test.host {
				t.Fatal(err1, err2, err3, err4, len(got), got[0].URL)
			}
			compareRequests(t, got[0], got[1])
			compareRequests(t, got[2], got[3])
		})
	}
}

func compareRequests(t *testing.T, got, want *http.Request) {
	t.Helper()
	query := want.URL.Query()
	query.Del("x-id") // the SDK's own name of the call, which S3 does not read
	path := func(u *url.URL) string { return strings.TrimSuffix(u.EscapedPath(), "/") }
	if got.Method != want.Method || got.URL.Scheme != want.URL.Scheme || got.URL.Host != want.URL.Host || path(got.URL) != path(want.URL) ||
		got.URL.Query().Encode() != query.Encode() || strings.Contains(got.URL.RawQuery, "+") {
		t.Errorf("%s %s, want %s %s", got.Method, got.URL, want.Method, want.URL)
	}
	for name := range want.Header {
		got, want := got.Header.Values(name), want.Header.Values(name)
		switch {
		case strings.HasPrefix(name, "Amz-Sdk-"), name == "User-Agent":
		case name == "Authorization": // key, region and service; the rest covers other headers
			got, want = strings.Split(got[0], ", ")[:1], strings.Split(want[0], ", ")[:1]
			fallthrough
		case name != "X-Amz-Date" && !slices.Equal(got, want):
			if !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
	for name := range got.Header {
		if want.Header.Values(name) == nil {
			t.Errorf("%s: %q, which the SDK does not send", name, got.Header.Values(name))
		}
	}
}

// TestSignatureOfWhatIsSent checks the signatures as a server does: over what has come.
func TestSignatureOfWhatIsSent(t *testing.T) {
	t.Parallel()
	held := aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret", SessionToken: "session"}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		given := r.Header.Get("Authorization")
		_, names, _ := strings.Cut(given, "SignedHeaders=")
		names, _, _ = strings.Cut(names, ",")
		sent := &http.Request{Method: r.Method, Host: r.Host, Header: http.Header{}}
		sent.URL, _ = url.ParseRequestURI(r.RequestURI)
		for name := range strings.SplitSeq(names, ";") {
			if values := r.Header.Values(name); name != "host" {
				sent.Header[http.CanonicalHeaderKey(name)] = values
			}
		}
		at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err == nil {
			err = signer.SignHTTP(r.Context(), held, sent, r.Header.Get("X-Amz-Content-Sha256"), "s3", "us-west-2", at)
		}
		if err != nil || given != sent.Header.Get("Authorization") {
			t.Errorf("%s %s: signed %s, want %s, %v", r.Method, r.RequestURI, given, sent.Header.Get("Authorization"), err)
		}
		for _, name := range []string{"x-amz-security-token", "x-amz-content-sha256", "host"} {
			if !slices.Contains(strings.Split(names, ";"), name) {
				t.Errorf("the signature does not cover %s", name)
			}
		}
		if r.Method == http.MethodPut && !strings.Contains(names, "x-amz-copy-source;x-amz-copy-source-if-match") {
			t.Errorf("the signature covers %s", names)
		}
		body := map[string]string{http.MethodPut: copied, http.MethodGet: "<ListBucketResult></ListBucketResult>"}[r.Method]
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	cfg := config(nil)
	cfg.BaseEndpoint, cfg.Credentials = &server.URL, credentials.StaticCredentialsProvider{Value: held}
	b := New(NewClient(cfg, 1), "media.angel-nft.com")
	keys := []string{"plain/Key-1_2.~jpg", "a+b %é/ü.jpg", "%41", "%2F", "q?x=1#f&;", "日本", "\x01", "a//b", "/a/", "!$'()*,:=@[]|"}
	for _, key := range keys {
		if _, err := b.CopyObject(t.Context(), key, key, "abc"); err != nil {
			t.Errorf("copy %q: %v", key, err)
		}
		if _, err := b.ListObjects(t.Context(), bucket.ListInput{Prefix: key, Delimiter: key, StartAfter: key, Token: key}); err != nil {
			t.Errorf("list %q: %v", key, err)
		}
	}
	if requests != 2*len(keys) {
		t.Errorf("%d requests, want %d", requests, 2*len(keys))
	}
	if _, err := b.CopyObject(t.Context(), "src", "dst", "a\r\nb: c"); err == nil || requests != 2*len(keys) {
		t.Error("an ETag of two lines was sent")
	}
}

// TestErrorNamesTheRequest: AWS's support asks for both IDs.
func TestErrorNamesTheRequest(t *testing.T) {
	t.Parallel()
	b, _ := scripted(always(403, errorBody("AccessDenied"), "X-Amz-Request-Id", "R1", "X-Amz-Id-2", "H1"))
	_, err := b.CopyObject(t.Context(), "src", "dst", "")
	for _, part := range []string{"CopyObject src: AccessDenied", "StatusCode: 403", "RequestID: R1", "HostID: H1", "AccessDenied: because"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not have %q", err, part)
		}
	}
}

// TestNoEndpoint: options without an address are an error of each request, which sends nothing.
func TestNoEndpoint(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*s3.Options){
		"no region":           func(o *s3.Options) { o.Region = "" },
		"a region of no name": func(o *s3.Options) { o.Region = "us west" },
		"FIPS at an endpoint with dual stack": func(o *s3.Options) {
			o.BaseEndpoint, o.EndpointOptions.UseDualStackEndpoint = aws.String("http://x"), aws.DualStackEndpointStateEnabled
		},
	} {
		client := NewClient(config(doer(func(*http.Request) (*http.Response, error) {
			t.Errorf("%s: a request was sent", name)
			return answer(200, copied).response()
		})), 1)
		b := New(s3.New(client.Options(), set), "plain")
		if _, err := b.CopyObject(t.Context(), "a", "b", ""); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := b.ListObjects(t.Context(), bucket.ListInput{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	failing := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, context.DeadlineExceeded })
	cfg := config(doer(nil))
	cfg.Credentials = failing
	if _, err := New(NewClient(cfg, 1), "plain").CopyObject(t.Context(), "a", "b", ""); err == nil || !strings.Contains(err.Error(), "get credentials") {
		t.Errorf("without credentials: %v", err)
	}
}
