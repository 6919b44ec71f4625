package worker

import "strings"

// Limits of texts in attributes and results, in bytes.
const (
	maxCode   = 100
	maxReason = 1000
)

// plain makes text fit for a message. SQS refuses a message with characters outside XML 1.0
// (SendMessage, SQS API reference), and an answer of S3 may have any length.
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
