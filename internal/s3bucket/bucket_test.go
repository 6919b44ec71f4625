package s3bucket

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// doer answers requests in place of the network.
type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// reply is an answer to come.
type reply struct {
	status int
	header http.Header
	body   string
	cut    bool // The connection breaks after the body.
}

func answer(status int, body string, headers ...string) reply {
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return reply{status: status, header: h, body: body}
}

func (r reply) response() (*http.Response, error) {
	var body io.Reader = strings.NewReader(r.body)
	if r.cut {
		body = io.MultiReader(body, iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	return &http.Response{StatusCode: r.status, Header: r.header, Body: io.NopCloser(body), ContentLength: -1}, nil
}

func config(client aws.HTTPClient) aws.Config {
	return aws.Config{Region: "us-west-2", HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

// scripted is a bucket whose server gives the answers in order, the last one again and again. It
// counts requests.
func scripted(answers ...func(*http.Request) reply) (b *Bucket, requests *int) {
	requests = new(int)
	return New(NewClient(config(doer(func(r *http.Request) (*http.Response, error) {
		next := answers[min(*requests, len(answers)-1)]
		*requests++
		return next(r).response()
	})), 8), "media.angel-nft.com"), requests
}

func always(status int, body string, headers ...string) func(*http.Request) reply {
	return func(*http.Request) reply { return answer(status, body, headers...) }
}

func errorBody(code string) string {
	return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code + "</Code><Message>because</Message></Error>"
}

const copied = `<CopyObjectResult><ETag>&quot;e1&quot;</ETag></CopyObjectResult>`

func wantCode(t *testing.T, err error, code string, status int) {
	t.Helper()
	var e *bucket.Error
	if !errors.As(err, &e) || e.Code != code || e.Status != status {
		t.Errorf("error %v, want code %s and status %d", err, code, status)
	}
}

func TestCopyRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	b, _ := scripted(func(r *http.Request) reply {
		got = r
		return answer(200, copied)
	})
	for _, key := range []string{"plain/Key-1_2.~jpg", "a+b %é/ü.jpg", "%41", "q?x=1#f&;", "日本", "\x01"} {
		etag, err := b.CopyObject(t.Context(), key, "dst "+key, "abc")
		if err != nil || etag != "e1" {
			t.Fatalf("copy: %q, %v", etag, err)
		}
		source := got.Header.Get("X-Amz-Copy-Source")
		decoded, err := url.QueryUnescape(source) // As S3 does: a plus would be a space.
		if err != nil || decoded != "media.angel-nft.com/"+key || strings.ContainsAny(source, "+ ") {
			t.Errorf("source %q is %q, %v; want %q", source, decoded, err, key)
		}
		if match := got.Header.Get("X-Amz-Copy-Source-If-Match"); match != `"abc"` {
			t.Errorf("condition %q", match)
		}
		if want := "/media.angel-nft.com/dst " + key; got.URL.Path != want || got.URL.Host != "s3.us-west-2.amazonaws.com" {
			t.Errorf("request to %q of %s, want %q", got.URL.Path, got.URL.Host, want)
		}
	}
	if _, err := b.CopyObject(t.Context(), "a", "b", ""); err != nil || got.Header.Values("X-Amz-Copy-Source-If-Match") != nil {
		t.Errorf("an empty condition was sent, %v", err)
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
		code   string
		want   int
		is     error
	}{
		{"an error in a 200", 200, errorBody("InternalError"), bucket.CodeInternal, 500, nil},
		{"throttling in a 200", 200, errorBody("SlowDown"), bucket.CodeSlowDown, 500, nil},
		{"a 200 that broke off", 200, "", bucket.CodeTransport, 200, nil},
		{"a 200 without an ETag", 200, "<CopyObjectResult></CopyObjectResult>", bucket.CodeTransport, 0, nil},
		{"a 200 that is no XML", 200, "<CopyObjectResult><ETag>", bucket.CodeTransport, 200, nil},
		{"a 200 with an empty ETag", 200, "<CopyObjectResult><ETag/></CopyObjectResult>", bucket.CodeTransport, 0, nil},
		{"a web page", 200, "<!DOCTYPE html><html><body>Sign in<br></body></html>", bucket.CodeBadAnswer, 200, nil},
		{"another result", 200, "<ListBucketResult></ListBucketResult>", bucket.CodeBadAnswer, 200, nil},
		{"plain text", 200, "OK", bucket.CodeBadAnswer, 200, nil},
		{"SlowDown", 503, errorBody("SlowDown"), bucket.CodeSlowDown, 503, nil},
		{"throttling by another name", 400, errorBody("ThrottlingException"), bucket.CodeSlowDown, 400, nil},
		{"a proxy's 503", 503, "<html>busy</html>", bucket.CodeSlowDown, 503, nil},
		{"a proxy's 502", 502, "", bucket.CodeInternal, 502, nil},
		{"a bare 429", 429, "", bucket.CodeSlowDown, 429, nil},
		{"InternalError", 500, errorBody("InternalError"), bucket.CodeInternal, 500, nil},
		{"no such key", 404, errorBody("NoSuchKey"), bucket.CodeNoSuchKey, 404, bucket.ErrNotFound},
		{"no such bucket", 404, errorBody("NoSuchBucket"), bucket.CodeNoSuchBucket, 404, bucket.ErrNotFound},
		{"a bare 404", 404, "", bucket.CodeNoSuchKey, 404, bucket.ErrNotFound},
		{"access denied", 403, errorBody("AccessDenied"), bucket.CodeAccessDenied, 403, nil},
		{"a bare 403", 403, "", bucket.CodeAccessDenied, 403, nil},
		{"a wrong signature", 403, errorBody("SignatureDoesNotMatch"), "SignatureDoesNotMatch", 403, nil},
		{"precondition", 412, errorBody("PreconditionFailed"), bucket.CodePrecondition, 412, bucket.ErrPrecondition},
		{"a race", 409, errorBody("ConditionalRequestConflict"), bucket.CodeConflict, 409, bucket.ErrPrecondition},
		{"a slow request", 400, errorBody("RequestTimeout"), bucket.CodeTransport, 400, nil},
		{"a long key", 400, errorBody("KeyTooLongError"), bucket.CodeInvalidKey, 400, nil},
		{"a bare 400", 400, "", "BadRequest", 400, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, requests := scripted(always(tt.status, tt.body))
			_, err := b.CopyObject(t.Context(), "src", "dst", "abc")
			wantCode(t, err, tt.code, tt.want)
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v is not %v", err, tt.is)
			}
			if *requests != 1 {
				t.Errorf("%d requests; the worker decides on another", *requests)
			}
		})
	}
}

func TestHeadAndConditionalGet(t *testing.T) {
	t.Parallel()
	b, _ := scripted(always(404, ""))
	_, err := b.HeadObject(t.Context(), "key")
	wantCode(t, err, bucket.CodeNoSuchKey, 404)
	b, _ = scripted(always(403, ""))
	_, err = b.HeadObject(t.Context(), "key")
	wantCode(t, err, bucket.CodeAccessDenied, 403)
	b, _ = scripted(func(r *http.Request) reply {
		if r.Header.Get("If-None-Match") != `"abc"` {
			return answer(200, "new", "ETag", `"def"`)
		}
		return answer(304, "")
	})
	_, err = b.GetObject(t.Context(), "key", "abc")
	wantCode(t, err, bucket.CodeNotModified, 304)
	if c, err := b.GetObject(t.Context(), "key", ""); err != nil || c.ETag != "def" || string(c.Body) != "new" || c.Age >= 0 {
		t.Errorf("get: %+v, %v; want no age without dates", c, err)
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	b, _ := scripted(always(200, "x", "ETag", `"e"`, "Date", "Wed, 11 Nov 2026 10:00:42 GMT", "Last-Modified", "Wed, 11 Nov 2026 10:00:00 GMT"))
	if c, err := b.GetObject(t.Context(), "key", ""); err != nil || c.Age != 41*time.Second {
		t.Errorf("age %v, %v; want 41s of 42s", c.Age, err)
	}
}

func TestDeleteErrors(t *testing.T) {
	t.Parallel()
	b, requests := scripted(func(r *http.Request) reply {
		if r.Header.Get("X-Amz-Checksum-Crc32") == "" && r.Header.Get("Content-Md5") == "" {
			return answer(400, errorBody("InvalidRequest"))
		}
		return answer(200, `<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code><Message>no</Message></Error>`+
			`<Error><Key>b</Key><Code>SlowDown</Code><Message>later</Message></Error></DeleteResult>`)
	})
	failed, err := b.DeleteObjects(t.Context(), []string{"a", "b", "c", ""})
	if err != nil || len(failed) != 3 || *requests != 1 {
		t.Fatalf("delete: %v, %v after %d requests", failed, err, *requests)
	}
	for i, want := range []bucket.Error{
		{Key: "", Code: bucket.CodeInvalidKey}, {Key: "a", Code: bucket.CodeAccessDenied}, {Key: "b", Code: bucket.CodeSlowDown},
	} {
		if failed[i].Key != want.Key || failed[i].Code != want.Code {
			t.Errorf("error %d: %v, want %s of %q", i, failed[i], want.Code, want.Key)
		}
	}
	b, requests = scripted(always(503, errorBody("SlowDown")))
	_, err = b.DeleteObjects(t.Context(), []string{"a"})
	wantCode(t, err, bucket.CodeSlowDown, 503)
	if *requests != 1 {
		t.Errorf("%d requests; the worker decides on another", *requests)
	}
}

const page = `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>` +
	`<Contents><Key>a%2Bb+%C3%A9%01</Key><ETag>&quot;e&quot;</ETag><Size>7</Size></Contents></ListBucketResult>`

func TestListRequest(t *testing.T) {
	t.Parallel()
	var got url.Values
	b, _ := scripted(func(r *http.Request) reply {
		got = r.URL.Query()
		return answer(200, page)
	})
	p, err := b.ListObjects(t.Context(), bucket.ListInput{Prefix: "a+", Delimiter: "_FRM-", StartAfter: "a", Token: "t", MaxKeys: 5000})
	if err != nil || len(p.Objects) != 1 || p.Objects[0] != (bucket.Object{Key: "a+b é\x01", ETag: "e", Size: 7}) {
		t.Errorf("list: %+v, %v", p, err)
	}
	for name, want := range map[string]string{
		"prefix": "a+", "delimiter": "_FRM-", "start-after": "a", "continuation-token": "t", "max-keys": "1000", "encoding-type": "url",
	} {
		if got.Get(name) != want {
			t.Errorf("%s=%q, want %q", name, got.Get(name), want)
		}
	}
}

func TestListNeverTakesAPartForTheWhole(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no token":  `<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>`,
		"a bad key": `<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%z</Key></Contents></ListBucketResult>`,
	} {
		b, _ := scripted(always(200, body))
		if p, err := b.ListObjects(t.Context(), bucket.ListInput{}); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// TestListIsTriedAgain runs on synctest's clock: the SDK waits between its attempts.
func TestListIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(*http.Request) reply{
		"throttled": always(503, errorBody("SlowDown")),
		"failed":    always(500, errorBody("InternalError")),
		"cut short": func(*http.Request) reply {
			return reply{status: 200, body: page[:len(page)/2], cut: true}
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			b, requests := scripted(first, first, always(200, page))
			if p, err := b.ListObjects(t.Context(), bucket.ListInput{}); err != nil || len(p.Objects) != 1 || *requests != 3 {
				t.Errorf("%s: %+v, %v after %d requests", name, p, err, *requests)
			}
			b, requests = scripted(always(503, errorBody("SlowDown")))
			_, err := b.ListObjects(t.Context(), bucket.ListInput{})
			wantCode(t, err, bucket.CodeSlowDown, 503)
			if *requests != attempts {
				t.Errorf("%d requests, want %d", *requests, attempts)
			}
		})
	}
}

func TestGetReadsABrokenBodyAgain(t *testing.T) {
	t.Parallel()
	cut := func(*http.Request) reply {
		return reply{status: 200, header: http.Header{"Etag": {`"e"`}}, body: "ha", cut: true}
	}
	b, _ := scripted(cut, cut, always(200, "half", "ETag", `"e"`))
	if c, err := b.GetObject(t.Context(), "key", ""); err != nil || string(c.Body) != "half" {
		t.Errorf("get: %q, %v", c.Body, err)
	}
	b, requests := scripted(cut)
	_, err := b.GetObject(t.Context(), "key", "")
	wantCode(t, err, bucket.CodeTransport, 0)
	if *requests != bodyTries {
		t.Errorf("%d requests, want %d", *requests, bodyTries)
	}
}

func TestContextErrorsStayVisible(t *testing.T) {
	t.Parallel()
	b := New(NewClient(config(doer(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})), 8), "b")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	for want, ctx := range map[error]context.Context{context.Canceled: canceled, context.DeadlineExceeded: late} {
		_, err := b.CopyObject(ctx, "a", "b", "")
		wantCode(t, err, bucket.CodeTransport, 0)
		if !errors.Is(err, want) {
			t.Errorf("error %v is not %v", err, want)
		}
	}
}
