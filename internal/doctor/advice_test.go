package doctor_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/doctor"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// Row by row the causes of doctor.Advice.
func TestAdvice(t *testing.T) {
	s3 := func(code string, status int) error {
		return &bucket.Error{Op: "ListObjectsV2", Code: code, Status: status, Err: errors.New("operation error S3")}
	}
	aws := func(code, message string) error {
		return fmt.Errorf("get URL of queue x: %w", &smithy.GenericAPIError{Code: code, Message: message})
	}
	dial := func(err error) error {
		return fmt.Errorf("request send failed: %w", &net.OpError{Op: "dial", Net: "tcp", Err: err})
	}
	for _, tc := range []struct {
		err  error
		want []string
	}{
		{errors.New("open queues /a/queues.db: database disk image is malformed (11)"), []string{"then queues.db", "shuffle setup", "Nothing is lost"}},
		{errors.New("open queues /a/queues.db: file is not a database (26)"), []string{"delete queues.db-wal", "shuffle setup", "shuffle redrive RUN"}},
		{errors.New("open queues /a/queues.db: unable to open database file (14)"), []string{"write to the folder", "by themselves"}},
		{errors.New("list: the bucket's folder is gone: /a/bucket: stat"), []string{"put the folder", "by themselves"}},
		{errors.New("receive: the folder of the queues is gone: stat"), []string{"put the folder", "shuffle setup"}},
		{errors.New("receive: attempt to write a readonly database (8)"), []string{"write to the folder", "by themselves"}},
		{fmt.Errorf("read: %w", sheet.ErrOfficeFile), []string{"File, Save as Google Sheets"}},
		{fmt.Errorf("read: %w", sheet.ErrAPIDisabled), []string{"Google Sheets API on"}},
		{fmt.Errorf("read: %w", sheet.ErrScope), []string{"--scopes=", "spreadsheets.readonly"}},
		{fmt.Errorf("read: %w", sheet.ErrCredentials), []string{"new JSON key", "clock"}},
		{s3(bucket.CodeBadAnswer, 200), []string{"something else answers", "AWS_ENDPOINT_URL"}},
		{fmt.Errorf("read: %w", sheet.ErrAnswer), []string{"something else answers", "SHUFFLE_SHEETS_ENDPOINT"}},
		{fmt.Errorf("read: %w", sheet.ErrNoConnection), []string{"no answer", "HTTPS_PROXY"}},
		{errors.New("credentials: could not find default credentials. See x"), []string{"GOOGLE_DRIVE_CREDENTIALS_FILE", "--local"}},
		{errors.New("failed to get shared config profile, nope"), []string{"AWS_PROFILE"}},
		{s3("RequestTimeTooSkewed", 403), []string{"clock"}},
		{aws("InvalidSignatureException", "Signature expired: 2026 is now earlier than 2027"), []string{"clock"}},
		{s3("ExpiredToken", 400), []string{"expired", "aws sso login"}},
		{aws("ExpiredTokenException", ""), []string{"expired", "aws sso login"}},
		{errors.New("get credentials: failed to refresh cached credentials, refresh cached SSO token failed"), []string{"aws sso login"}},
		{s3("InvalidAccessKeyId", 403), []string{"AWS_ACCESS_KEY_ID"}},
		{aws("UnrecognizedClientException", ""), []string{"AWS_ACCESS_KEY_ID"}},
		{aws("InvalidClientTokenId", ""), []string{"AWS_ACCESS_KEY_ID"}},
		{s3("SignatureDoesNotMatch", 403), []string{"AWS_SECRET_ACCESS_KEY"}},
		{aws("InvalidSignatureException", "The request signature we calculated does not match"), []string{"AWS_SECRET_ACCESS_KEY"}},
		{errors.New("get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found"), []string{"AWS_PROFILE", "aws sso login", "--local"}},
		{errors.New("get credentials: failed to refresh cached credentials, operation error STS: AssumeRole, AccessDenied"), []string{"trust policy"}},
		{errors.New("get identity: get credentials: process provider error"), []string{"login for AWS does not work", "AWS_PROFILE"}},
		{&bucket.Error{Op: "ListObjectsV2", Code: "PermanentRedirect", Status: 301, Err: &bucket.RegionError{Region: "eu-west-1", Err: errors.New("301")}},
			[]string{"in region eu-west-1", "AWS_REGION=eu-west-1"}},
		{s3("PermanentRedirect", 301), []string{"another region", "AWS_REGION"}},
		{s3("MovedPermanently", 301), []string{"another region", "AWS_REGION"}},
		{s3("NotImplemented", 501), []string{"does not implement", "If-None-Match"}},
		{s3("InternalError", 501), []string{"does not implement"}},
		{s3(bucket.CodeNoSuchBucket, 404), []string{"--bucket", "SHUFFLE_BUCKET", "shuffle setup --create-bucket"}},
		{fmt.Errorf("get URL of queue x: %w", queue.ErrNotFound), []string{"AWS_REGION", "shuffle setup"}},
		{aws("KMS.AccessDeniedException", ""), []string{"kms:Decrypt"}},
		{aws("AccessDenied", "not authorized to perform: kms:GenerateDataKey"), []string{"kms:Decrypt"}},
		{&net.OpError{Op: "proxyconnect", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, []string{"HTTPS_PROXY"}},
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), []string{"nothing listens", "AWS_ENDPOINT_URL"}},
		{dial(&net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}), []string{"no such address", "AWS_REGION"}},
		{dial(os.ErrDeadlineExceeded), []string{"no answer", "HTTPS_PROXY"}},
		{errors.New("http: server gave HTTP response to HTTPS client"), []string{"http:// instead of https://"}},
		{errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x15\x03"`), []string{"https:// instead of http://"}},
		{errors.New(`Get "localhost:4566/b": unsupported protocol scheme "localhost"`), []string{"http:// or https://", "AWS_ENDPOINT_URL"}},
		{errors.New("tls: failed to verify certificate: x509: certificate signed by unknown authority"), []string{"AWS_CA_BUNDLE"}},
		{errors.New("deserialization failed, failed to decode response body"), []string{"proxy"}},
		{&bucket.Error{Op: "PutObject", Code: bucket.CodeInternal, Err: syscall.ENOSPC}, []string{"space"}},
		{&bucket.Error{Op: "PutObject", Code: bucket.CodeAccessDenied, Err: fs.ErrPermission}, []string{"read and write there"}},
		{s3(bucket.CodeSlowDown, 503), []string{"busy"}},
		// What the step knows better, or nobody.
		{s3(bucket.CodeAccessDenied, 403), nil},
		{errors.New("the condition of a request was ignored"), nil},
		{nil, nil},
	} {
		got := doctor.Advice(tc.err)
		if tc.want == nil && got != "" {
			t.Errorf("%v\nis advised: %s", tc.err, got)
		}
		for _, part := range tc.want {
			if !strings.Contains(got, part) {
				t.Errorf("%v\nis advised: %s\nexpected: %s", tc.err, got, part)
			}
		}
	}
}
