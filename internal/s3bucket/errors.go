package s3bucket

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// fail puts an error of the SDK in the words of package bucket. The SDK's error stays within it,
// and so does the context's.
func fail(op, key string, err error) *bucket.Error {
	e := &bucket.Error{Op: op, Key: key, Code: bucket.CodeTransport, Err: withRegion(err)}
	var answered interface{ HTTPStatusCode() int }
	if errors.As(err, &answered) {
		e.Status = answered.HTTPStatusCode()
		e.Code = codeOfStatus(e.Status)
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Code = codeOf(api.ErrorCode(), e.Status)
		e.Err = explained(e.Err, e.Code, api.ErrorMessage())
	}
	if _, bad := errors.AsType[*answerError](err); bad {
		e.Code = bucket.CodeBadAnswer
	}
	return e
}

// badAnswer is the error of an answer that is not of the kind that was asked for.
func badAnswer(op, key, format string, args ...any) *bucket.Error {
	return &bucket.Error{Op: op, Key: key, Code: bucket.CodeBadAnswer, Err: notS3(format, args...)}
}

// codeOf is S3's code as package bucket has it. The answer to a HEAD has no body, and the SDK makes
// a code of its status: "NotFound", "Forbidden".
func codeOf(code string, status int) string {
	switch code {
	case "", "UnknownError":
		return codeOfStatus(status)
	case "NotFound":
		return bucket.CodeNoSuchKey
	case "Forbidden":
		return bucket.CodeAccessDenied
	case "OperationAborted": // Another conditional request for the key is under way.
		return bucket.CodeConflict
	case "KeyTooLongError":
		return bucket.CodeInvalidKey
	case "RequestTimeout": // S3 waited for the rest of the request.
		return bucket.CodeTransport
	case "InternalServerError", "BadGateway", "GatewayTimeout":
		return bucket.CodeInternal
	}
	if _, throttled := retry.DefaultThrottleErrorCodes[code]; throttled {
		return bucket.CodeSlowDown
	}
	switch status {
	case http.StatusNotModified, http.StatusPreconditionFailed, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return codeOfStatus(status) // These say one thing only, whatever it is called.
	}
	return code
}

// codeOfStatus is for answers without a code that says more, such as those of a proxy.
func codeOfStatus(status int) string {
	switch {
	case status == http.StatusNotModified:
		return bucket.CodeNotModified
	case status == http.StatusForbidden:
		return bucket.CodeAccessDenied
	case status == http.StatusNotFound:
		return bucket.CodeNoSuchKey
	case status == http.StatusConflict:
		return bucket.CodeConflict
	case status == http.StatusPreconditionFailed:
		return bucket.CodePrecondition
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return bucket.CodeSlowDown
	case status >= http.StatusInternalServerError:
		return bucket.CodeInternal
	case status >= http.StatusBadRequest:
		return strings.ReplaceAll(http.StatusText(status), " ", "")
	}
	return bucket.CodeTransport // No answer, or half of one.
}
