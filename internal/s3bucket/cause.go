package s3bucket

import (
	"fmt"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// causes explain errors whose texts do not help a person. text is part of S3's message, "" for any.
// The first match counts.
var causes = []struct{ code, text, cause string }{
	{
		"InvalidObjectState", "",
		"the object is archived (storage class GLACIER or DEEP_ARCHIVE, or an archive tier of INTELLIGENT_TIERING): restore it, or copy it over itself as STANDARD",
	},
	{
		bucket.CodeAccessDenied, "object lock",
		"Object Lock keeps this version of the object until its retention or legal hold ends",
	},
	{
		"InvalidRequest", "Object Lock",
		"the bucket has a default retention of Object Lock and wants a checksum with each write, which something on the way has taken out: see AWS_ENDPOINT_URL and the proxy",
	},
	{
		// S3 gives a reason only to callers of the bucket's own account. Other callers get only
		// this text (S3 User Guide, "Troubleshoot access denied errors").
		bucket.CodeAccessDenied, "Access Denied",
		"S3 gives no reason, as it does when the bucket or the object belongs to another account: see the bucket's policy, its Object Ownership, " +
			"the policy of its KMS key, and whether Requester Pays is on, which the program does not agree to",
	},
}

// explained adds the cause to an error that does not name it.
func explained(err error, code, message string) error {
	for _, c := range causes {
		if c.code == code && strings.Contains(message, c.text) {
			return fmt.Errorf("%s: %w", c.cause, err)
		}
	}
	return err
}
