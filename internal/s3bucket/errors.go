package s3bucket

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// fail converts an error of the SDK to a *bucket.Error. It wraps the SDK's error and the context's.
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

// badAnswer returns the error for an answer of an unexpected kind.
func badAnswer(op, key, format string, args ...any) *bucket.Error {
	return &bucket.Error{Op: op, Key: key, Code: bucket.CodeBadAnswer, Err: notS3(format, args...)}
}

// codeOf returns package bucket's code for an error. The answer to a HEAD has no body, and the SDK
// makes a code from its status: "NotFound", "Forbidden".
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
		return codeOfStatus(status) // these statuses have one meaning, independent of the code
	}
	return code
}

// codeOfStatus returns a code for answers without a more specific one, such as those of a proxy.
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
	return bucket.CodeTransport // no answer, or an incomplete one
}
