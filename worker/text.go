package worker

import "strings"

// Bounds of what goes into attributes and results, in bytes.
const (
	maxCode   = 100
	maxReason = 1000
)

// plain makes text fit for a message. SQS accepts only the characters of XML 1.0 and refuses a
// message with any other (SendMessage, SQS API reference), and an answer of S3 may be of any
// length.
func plain(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "")) // a cut may have split a character
}
