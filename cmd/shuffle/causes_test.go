package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// refusing starts an S3 and SQS that answer every request with one error.
func refusing(t *testing.T, status int, code, message string, header map[string]string) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		if r.Header.Get("X-Amz-Target") != "" { // SQS
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(min(status, 400))
			_, _ = fmt.Fprintf(w, `{"__type":"com.amazonaws.sqs#%s","message":%q}`, code, message)
			return
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>%s</Message></Error>`, code, message)
	}))
	t.Cleanup(server.Close)
	return server
}

// shuffle doctor, status and setup, with services that cannot be used: the advice is about the
// cause, and appears soon.
func TestAdviceByCause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := []string{"AWS_ACCESS_KEY_ID=A", "AWS_SECRET_ACCESS_KEY=B", "AWS_REGION=us-west-2", "AWS_EC2_METADATA_DISABLED=true"}
	answers := func(status int, code, message string, header map[string]string) []string {
		return append([]string{"AWS_ENDPOINT_URL=" + refusing(t, status, code, message, header).URL}, keys...)
	}
	for _, test := range []struct {
		name    string
		env     []string
		command string
		says    string
	}{
		{"no login", []string{"AWS_EC2_METADATA_DISABLED=true"}, "status", `no login for AWS was found: set AWS_PROFILE.*aws sso login.*--local DIR`},
		{"no login", []string{"AWS_EC2_METADATA_DISABLED=true"}, "doctor", `no login for AWS was found: set AWS_PROFILE`},
		{"no such profile", []string{"AWS_PROFILE=nope"}, "status", `check the name in AWS_PROFILE`},
		{"nothing listens", append(keys, "AWS_ENDPOINT_URL=http://127.0.0.1:1"), "status", `connection refused → nothing listens at this address.*AWS_ENDPOINT_URL`},
		{"nothing listens", append(keys, "AWS_ENDPOINT_URL=http://127.0.0.1:1"), "doctor", `→ nothing listens at this address`},
		{"nothing listens", append(keys, "AWS_ENDPOINT_URL=http://127.0.0.1:1"), "setup", `→ nothing listens at this address`},
		{"a proxy that does not listen", append(keys, "AWS_ENDPOINT_URL=http://s3.invalid", "HTTP_PROXY=http://127.0.0.1:1"), "status", `→ correct or remove HTTPS_PROXY`},
		{"no http://", append(keys, "AWS_ENDPOINT_URL=localhost:4566"), "doctor", `AWS_ENDPOINT_URL: found "localhost:4566", expected an address that begins with http://`},
		{"https:// for http://", append(keys, "AWS_ENDPOINT_URL="+strings.Replace(refusing(t, 400, "x", "", nil).URL, "http:", "https:", 1)), "status",
			`begin its address with http:// instead of https://`},
		{"another region", answers(301, "PermanentRedirect", "", map[string]string{"X-Amz-Bucket-Region": "eu-west-1"}), "status", `set AWS_REGION=eu-west-1`},
		{"another region", answers(301, "PermanentRedirect", "", map[string]string{"X-Amz-Bucket-Region": "eu-west-1"}), "doctor", `set AWS_REGION=eu-west-1`},
		{"another region", answers(400, "AuthorizationHeaderMalformed", "the region 'us-west-2' is wrong; expecting 'ap-south-1'", nil), "status", `set AWS_REGION=ap-south-1`},
		{"not implemented", answers(501, "NotImplemented", "", nil), "status", `does not implement the request.*If-None-Match`},
		{"no such bucket", answers(404, "NoSuchBucket", "", nil), "doctor", `check the name in --bucket \(SHUFFLE_BUCKET\).*shuffle setup --create-bucket`},
		{"an expired token", answers(400, "ExpiredToken", "", nil), "status", `the login has expired: log in again \(aws sso login\)`},
		{"an unknown key", answers(403, "InvalidAccessKeyId", "", nil), "status", `AWS does not know this key`},
		{"an unknown key of SQS", answers(403, "InvalidClientTokenId", "", nil), "setup", `AWS does not know this key`},
		{"another's secret", answers(403, "SignatureDoesNotMatch", "", nil), "doctor", `check AWS_SECRET_ACCESS_KEY`},
		{"a wrong clock", answers(403, "RequestTimeTooSkewed", "", nil), "status", `set this machine's clock`},
		{"a missing right", answers(403, "AccessDenied", "", nil), "doctor", `s3:ListBucket`},
		{"a FIFO queue", []string{"SHUFFLE_TASKS_QUEUE=tasks.fifo"}, "setup", `--tasks-queue "tasks\.fifo" \(SHUFFLE_TASKS_QUEUE\): expected a standard queue.*a FIFO queue wants`},
	} {
		begun := time.Now()
		p := start(t, w.work, append(w.env[:len(w.env):len(w.env)], test.env...), test.command)
		out, logs := p.wait(anyCode)
		if took := time.Since(begun); took > 30*time.Second {
			t.Errorf("%s, %s: took %s", test.name, test.command, took)
		}
		if p.code() == 0 {
			t.Errorf("%s, %s: exit code 0", test.name, test.command)
		}
		says(t, out+logs, test.says)
		if strings.Contains(logs, "SDK ") || strings.Contains(logs, `{"level"`) {
			t.Errorf("%s, %s: lines of a log: %s", test.name, test.command, logs)
		}
	}
}
