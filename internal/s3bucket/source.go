package s3bucket

import (
	"strings"

	"github.com/angel-nft/google-shuffle/internal/direct"
)

const hexDigits = "0123456789ABCDEF"

// copySource is the header x-amz-copy-source. S3 decodes it, a plus to a space too, and the SDK sends it as it is:
// whatever is not plain must be encoded here (CopyObject, S3 API reference).
func copySource(bucketName, key string) string {
	odd := 0
	for i := range len(key) {
		if !direct.IsPlain(key[i]) {
			odd++
		}
	}
	if odd == 0 {
		return bucketName + "/" + key
	}
	var s strings.Builder
	s.Grow(len(bucketName) + 1 + len(key) + 2*odd)
	s.WriteString(bucketName)
	s.WriteByte('/')
	for i := range len(key) {
		if c := key[i]; direct.IsPlain(c) {
			s.WriteByte(c)
		} else {
			s.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return s.String()
}
