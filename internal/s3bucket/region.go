package s3bucket

import (
	"errors"
	"regexp"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// expecting matches the region in S3's message of AuthorizationHeaderMalformed.
var expecting = regexp.MustCompile(`expecting '([^']+)'`)

var regionName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// withRegion wraps an error whose answer names the bucket's region, because the request was sent to
// another one. The region is in a header of a 301 or 400 (S3 User Guide, "Request redirection"), or
// in the message.
func withRegion(err error) error {
	region := ""
	if answered, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && answered.Response != nil && answered.HTTPStatusCode() < 403 {
		region = answered.Response.Header.Get("X-Amz-Bucket-Region")
	}
	if m := expecting.FindStringSubmatch(err.Error()); m != nil {
		region = m[1]
	}
	if !regionName.MatchString(region) {
		return err
	}
	return &bucket.RegionError{Region: region, Err: err}
}
