package worker

import (
	"errors"
	"net/http"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// kind is what to do about a failed request to the bucket (DESIGN 7).
type kind uint8

const (
	permanent  kind = iota // another try would fail too: the task is dead
	transient              // a later try may succeed: the message goes back to the queue for a while
	throttling             // the bucket asks for fewer requests: try again, slower; no attempt is lost
)

// kinds lists the error codes whose kind does not follow from the HTTP status. S3's list of error
// codes has the statuses.
var kinds = map[string]kind{
	bucket.CodeSlowDown:      throttling,
	"ServiceUnavailable":     throttling, // 503, as SlowDown
	"RequestLimitExceeded":   throttling,
	"BandwidthLimitExceeded": throttling,
	"TooManyRequests":        throttling,

	bucket.CodeTransport:    transient,
	bucket.CodeInternal:     transient,
	bucket.CodeBadAnswer:    transient, // a proxy's page in place of S3's answer
	bucket.CodeConflict:     transient, // 409, another request for the key is under way
	bucket.CodePrecondition: transient, // the source changes faster than it can be copied
	"OperationAborted":      transient,
	"RequestTimeout":        transient, // 400, S3 waited for the rest of the request
	// These have status 400 or 403 and still end by themselves: credentials are renewed, and clocks
	// are set.
	"ExpiredToken":          transient,
	"ExpiredTokenException": transient,
	"TokenRefreshRequired":  transient,
	"RequestExpired":        transient,
	"RequestTimeTooSkewed":  transient,
	"TemporaryRedirect":     transient, // 307, while a new bucket's name spreads

	bucket.CodeAccessDenied: permanent,
	bucket.CodeNoSuchKey:    permanent,
	bucket.CodeNoSuchBucket: permanent,
	bucket.CodeInvalidKey:   permanent,
	"InvalidObjectState":    permanent, // archived
}

// classify is the only place that decides what an error of the bucket means. It also returns S3's
// error code, for reports.
func classify(err error) (kind, string) {
	var e *bucket.Error
	if !errors.As(err, &e) {
		return transient, bucket.CodeTransport // the request got no answer: it was cut off or timed out
	}
	if k, known := kinds[e.Code]; known {
		return k, e.Code
	}
	// ThrottlingException and similar codes, also those of KMS.
	if strings.Contains(e.Code, "Throttl") {
		return throttling, e.Code
	}
	switch status := e.Status; {
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return throttling, e.Code
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status >= http.StatusInternalServerError:
		return transient, e.Code
	case status == 0: // the error of one key of a DeleteObjects, with an unknown code
		return transient, e.Code
	}
	return permanent, e.Code
}

// sourceChanged: a copy was refused because the source has changed.
func sourceChanged(err error) bool {
	var e *bucket.Error
	return errors.As(err, &e) && e.Code == bucket.CodePrecondition
}
