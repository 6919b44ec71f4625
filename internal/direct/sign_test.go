package direct

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

var someTime = time.Date(2026, 11, 28, 6, 9, 31, 0, time.UTC)

// written is a request as the other side reads it.
func written(t testing.TB, m *Model, r Request, credentials aws.Credentials) *http.Request {
	t.Helper()
	c := Client{service: "s3"}
	var text bytes.Buffer
	c.write(&text, m, &r, credentials, someTime)
	wire := bufio.NewReader(&text)
	got, err := http.ReadRequest(wire)
	if err != nil {
		t.Fatalf("the request cannot be read: %v", err)
	}
	body, err := io.ReadAll(got.Body)
	if err != nil || !bytes.Equal(body, r.Body) {
		t.Fatalf("body %q, %v; want %q", body, err, r.Body)
	}
	if _, err := wire.ReadByte(); err != io.EOF {
		t.Fatal("there is more than the request")
	}
	return got
}

// compareSignatures holds a signature against that of the SDK for the same request.
func compareSignatures(t testing.TB, m *Model, r Request, credentials aws.Credentials) {
	t.Helper()
	got := written(t, m, r, credentials)
	signed := got.Header.Get("Authorization")
	got.Header.Del("Authorization")
	got.Header.Del("X-Amz-Date")
	got.Header.Del("X-Amz-Security-Token")
	got.URL.Scheme = "https"
	payload := got.Header.Get("X-Amz-Content-Sha256")
	if payload == "" {
		sum := sha256.Sum256(r.Body)
		payload = hex.EncodeToString(sum[:])
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(t.Context(), credentials, got, payload, "s3", m.region, someTime); err != nil {
		t.Fatal(err)
	}
	if want := got.Header.Get("Authorization"); signed != want {
		t.Errorf("signed %s\n   want %s", signed, want)
	}
}

func someModel() *Model {
	return &Model{
		method: http.MethodPut, url: url.URL{Scheme: "https", Host: "b.s3.us-west-2.amazonaws.com", Path: "/", RawQuery: "x-id=CopyObject"},
		host: "b.s3.us-west-2.amazonaws.com", region: "us-west-2",
		fields: []Field{
			{"User-Agent", "aws-sdk-go-v2/1.0  ua/2.1"}, {"Accept-Encoding", "identity"},
			{"X-Amz-Content-Sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		},
	}
}

var someCredentials = aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret", SessionToken: "token"}

func TestSignsAsSDK(t *testing.T) {
	t.Parallel()
	simple := Request{Key: "tuttle_twins/ML/train/Rare/a.jpg", Fields: []Field{{"X-Amz-Copy-Source", "b/a%20b.jpg"}, {"X-Amz-Copy-Source-If-Match", `"e"`}}}
	compareSignatures(t, someModel(), simple, someCredentials)
	compareSignatures(t, someModel(), simple, aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "other"})
	posts := someModel()
	posts.method, posts.url.RawQuery, posts.fields = http.MethodPost, "", []Field{{"Content-Type", "application/x-amz-json-1.0"}}
	compareSignatures(t, posts, Request{Fields: []Field{{"X-Amz-Target", "AmazonSQS.SendMessageBatch"}}, Body: []byte(`{"Entries":[]}`)}, someCredentials)
	rootless := someModel()
	rootless.url.Path = ""
	if got := written(t, rootless, Request{}, someCredentials); got.URL.Path != "/" {
		t.Errorf("an empty path is sent as %q", got.URL.Path)
	}
}

// FuzzSign: whatever fits is read as it was meant, and signed as the SDK signs it.
func FuzzSign(f *testing.F) {
	f.Add("a/b.jpg", "b/a.jpg", `"e"`, "", []byte(nil), "")
	f.Add("", "  two  spaces ", ":", "token", []byte("{}"), "list-type=2")
	f.Add("../..//x", "", "a,b;c", "t", []byte{0, 1}, "x-id=CopyObject")
	f.Fuzz(func(t *testing.T, key, source, match, token string, body []byte, agent string) {
		m := someModel()
		m.fields[0].Value = agent
		r := Request{Key: key, Fields: []Field{{"X-Amz-Copy-Source", source}, {"X-Amz-Copy-Source-If-Match", match}}, Body: body}
		if !r.Fits() || !isLine(agent) || !isLine(token) {
			return
		}
		got := written(t, m, r, aws.Credentials{AccessKeyID: "A", SecretAccessKey: "s", SessionToken: token})
		if got.URL.Path != "/"+key || got.URL.RawQuery != m.url.RawQuery || got.Host != m.host {
			t.Errorf("%q is asked for as %q of %q", key, got.URL, got.Host)
		}
		for name, want := range map[string]string{"X-Amz-Copy-Source": source, "X-Amz-Copy-Source-If-Match": match, "User-Agent": agent} {
			if value := got.Header.Values(name); len(value) != 1 || value[0] != strings.Trim(want, " ") {
				t.Errorf("%s: %q, want %q", name, value, want)
			}
		}
		compareSignatures(t, m, r, aws.Credentials{AccessKeyID: "A", SecretAccessKey: "s", SessionToken: token})
	})
}

// TestKeyOfTheDay: a key is kept as long as it is the same.
func TestKeyOfTheDay(t *testing.T) {
	t.Parallel()
	var keys signingKeys
	seen := map[string]bool{}
	for _, secret := range []string{"a", "b"} {
		for _, date := range []string{"20261128", "20261129"} {
			for _, region := range []string{"us-west-2", "us-east-1"} {
				for range 2 {
					key := keys.of(aws.Credentials{SecretAccessKey: secret}, date, region, "s3")
					if want := (&signingKeys{}).of(aws.Credentials{SecretAccessKey: secret}, date, region, "s3"); !bytes.Equal(key, want) {
						t.Errorf("another key for %s, %s, %s", secret, date, region)
					}
					seen[string(key)] = true
				}
			}
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d keys, want 8", len(seen))
	}
}
