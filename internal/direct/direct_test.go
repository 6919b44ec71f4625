package direct

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/middleware"
)

// TestModel: which requests are models, and of what. That requests like them are as the SDK's is for the tests of their users.
func TestModel(t *testing.T) {
	t.Parallel()
	const key = "a/b.jpg"
	good := func() *Sample {
		return &Sample{
			url: &url.URL{Scheme: "https", Host: "b.example", Path: "/" + key, RawQuery: "x-id=CopyObject"}, method: http.MethodPut,
			header: http.Header{
				"Authorization": {"AWS4-HMAC-SHA256 Credential=ID/20261128/us-west-2/s3/aws4_request, SignedHeaders=host, Signature=00"},
				"User-Agent":    {"sdk"}, "X-Amz-Date": {"20261128T060931Z"}, "Amz-Sdk-Request": {"attempt=1"}, "X-Own": {"x"},
			},
		}
	}
	m := good().model("s3", key, []string{"X-Own"})
	if m == nil || m.url.Path != "/" || m.host != "b.example" || m.region != "us-west-2" || len(m.fields) != 1 || m.fields[0] != (Field{"User-Agent", "sdk"}) {
		t.Errorf("model %+v", m)
	}
	for name, spoil := range map[string]func(*Sample){
		"not signed": func(s *Sample) { s.header.Del("Authorization") },
		"signed in another way": func(s *Sample) {
			s.header.Set("Authorization", "AWS4-ECDSA-P256-SHA256 Credential=ID/20261128/s3/aws4_request, SignedHeaders=host")
		},
		"for another service": func(s *Sample) {
			s.header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=ID/20261128/us-west-2/s3express/aws4_request, SignedHeaders=host")
		},
		"never made":              func(s *Sample) { *s = Sample{} },
		"of another key":          func(s *Sample) { s.url.Path += "x" },
		"in an odd place":         func(s *Sample) { s.url.Path = "/ü/" + key },
		"with a header twice":     func(s *Sample) { s.header.Add("User-Agent", "another") },
		"with a header of a kind": func(s *Sample) { s.header.Set("User-Agent", "a\r\nb") },
		"of an odd host":          func(s *Sample) { s.host = "a b\n" },
	} {
		s := good()
		spoil(s)
		if m := s.model("s3", key, []string{"X-Own"}); m != nil {
			t.Errorf("%s: model %+v", name, m)
		}
	}
}

// TestProxy: behind a proxy there is no model.
func TestProxy(t *testing.T) {
	t.Parallel()
	proxied := func(proxy *url.URL) bool {
		client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.Proxy = http.ProxyURL(proxy) })
		c := New("s3", client, credentials.NewStaticCredentialsProvider("id", "secret", ""), nil, 0)
		return !c.conns.reaches(someModel())
	}
	if proxied(nil) || !proxied(&url.URL{Scheme: "http", Host: "proxy:3128"}) {
		t.Error("a proxy is passed by, or seen where there is none")
	}
}

// TestNewIsNil: clients that have no shortcut.
func TestNewIsNil(t *testing.T) {
	t.Parallel()
	own := awshttp.NewBuildableClient()
	for name, c := range map[string]*Client{
		"another HTTP client": New("s3", http.DefaultClient, aws.AnonymousCredentials{}, nil, 0),
		"no credentials":      New("s3", own, nil, nil, 0),
		"own steps":           New("s3", own, aws.AnonymousCredentials{}, []func(*middleware.Stack) error{nil}, 0),
		"own TLS": New("s3", own.WithTransportOptions(func(t *http.Transport) { t.DialTLSContext = t.DialContext }),
			aws.AnonymousCredentials{}, nil, 0),
	} {
		if c != nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}
