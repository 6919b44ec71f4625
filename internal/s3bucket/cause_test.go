package s3bucket

import (
	"errors"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Row by row what errors of a bucket in a real account say beside S3's own text.
func TestCauses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status        int
		code, message string
		want          string // "": nothing
	}{
		"archived":                    {403, "InvalidObjectState", "The operation is not valid for the object's storage class", "the object is archived"},
		"retained by Object Lock":     {403, "AccessDenied", "Access Denied because object protected by object lock.", "Object Lock keeps"},
		"no checksum for Object Lock": {400, "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters", "default retention of Object Lock"},
		"Requester Pays":              {403, "AccessDenied", "Access Denied", "Requester Pays"},
		"another account's bucket":    {403, "AccessDenied", "Access Denied", "Object Ownership"},
		"a missing right":             {403, "AccessDenied", "User: arn:aws:iam::1:user/a is not authorized to perform: s3:PutObject on resource: arn because no identity-based policy allows the s3:PutObject action", ""},
		"another invalid request":     {400, "InvalidRequest", "The bucket POST must contain a field", ""},
	} {
		body := "<Error><Code>" + c.code + "</Code><Message>" + c.message + "</Message></Error>"
		b, _ := scripted(always(c.status, body))
		_, putErr := b.PutObject(t.Context(), "key", nil, bucket.Condition{})
		_, copyErr := b.CopyObject(t.Context(), "src", "dst", "")
		_, getErr := b.GetObject(t.Context(), "key", "")
		one, _ := scripted(always(200, "<DeleteResult><Error><Key>key</Key><Code>"+c.code+"</Code><Message>"+c.message+"</Message></Error></DeleteResult>"))
		failed, err := one.DeleteObjects(t.Context(), []string{"key"})
		if err != nil || len(failed) != 1 {
			t.Fatalf("%s: %v, %v", name, failed, err)
		}
		for _, err := range []error{putErr, copyErr, getErr, failed[0]} {
			text := err.Error()
			e, _ := errors.AsType[*bucket.Error](err)
			said := e.Code == c.code && strings.Contains(text, c.message)
			if explains := strings.Contains(text, ": the ") || strings.Contains(text, "Object Lock keeps") || strings.Contains(text, "S3 gives"); !said || explains != (c.want != "") || !strings.Contains(text, c.want) {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
}
