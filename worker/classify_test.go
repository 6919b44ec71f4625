package worker

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

func TestClassify(t *testing.T) {
	tests := []struct {
		code   string
		status int
		want   kind
	}{
		{bucket.CodeSlowDown, 503, throttling},
		{bucket.CodeSlowDown, 200, throttling}, // in the body of a copy's answer
		{bucket.CodeSlowDown, 0, throttling},   // of one key of a DeleteObjects
		{"ServiceUnavailable", 503, throttling},
		{"RequestLimitExceeded", 503, throttling},
		{"ThrottlingException", 400, throttling},
		{"KMS.ThrottlingException", 400, throttling},
		{"Whatever", 429, throttling},
		{"Whatever", 503, throttling},

		{bucket.CodeTransport, 0, transient},
		{bucket.CodeInternal, 500, transient},
		{bucket.CodeInternal, 0, transient},
		{bucket.CodeConflict, 409, transient},
		{bucket.CodePrecondition, 412, transient},
		{"OperationAborted", 409, transient},
		{"RequestTimeout", 400, transient},
		{"ExpiredToken", 400, transient},
		{"RequestTimeTooSkewed", 403, transient},
		{"Whatever", 500, transient},
		{"Whatever", 502, transient},
		{"Whatever", 504, transient},
		{"Whatever", 409, transient},
		{"Whatever", 408, transient},
		{"Whatever", 0, transient},

		{bucket.CodeAccessDenied, 403, permanent},
		{bucket.CodeAccessDenied, 0, permanent},
		{bucket.CodeNoSuchKey, 404, permanent},
		{bucket.CodeNoSuchBucket, 404, permanent},
		{bucket.CodeInvalidKey, 400, permanent},
		{"InvalidAccessKeyId", 403, permanent},
		{"PermanentRedirect", 301, permanent},
		{"Whatever", 400, permanent},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.code, test.status), func(t *testing.T) {
			got, code := classify(fmt.Errorf("copy: %w", s3Error("CopyObject", test.code, test.status)))
			if got != test.want || code != test.code {
				t.Errorf("got %d %s, want %d %s", got, code, test.want, test.code)
			}
		})
	}
}

// An error without an answer of the bucket may have left the write applied or not; either way the
// next try finds out.
func TestClassifyWithoutAnswer(t *testing.T) {
	for _, err := range []error{context.DeadlineExceeded, context.Canceled, errors.New("connection reset")} {
		if got, code := classify(err); got != transient || code != bucket.CodeTransport {
			t.Errorf("%v: got %d %s", err, got, code)
		}
	}
}
