package messages

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Scope names an environment: the bucket's or folder's name, and the prefix below it. Two environments that share
// queues by mistake tell their messages apart by it. A folder's name may have characters that no message may have;
// they become "_".
func Scope(bucket, prefix string) string {
	scope := bucket
	if prefix != "" {
		scope += "/" + prefix
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError || r == '\uFFFE' || r == '\uFFFF' {
			return '_'
		}
		return r
	}, scope)
}

// OtherScope says whether a message is of another environment. A message or a reader without a scope is of any.
func OtherScope(own, scope string) bool { return own != "" && scope != "" && own != scope }

// maxScope is a bucket's or folder's name of 255 bytes, a slash and the longest key.
const maxScope = 255 + 1 + 1024

func checkScope(scope string) error {
	if len(scope) > maxScope || !utf8.ValidString(scope) || strings.ContainsFunc(scope, unicode.IsControl) {
		return fmt.Errorf("scope %.100q of %d bytes, expected a bucket's name and prefix", scope, len(scope))
	}
	return nil
}

// probe is a message without content. Workers and trackers that receive it acknowledge it. shuffle doctor sends one to
// each queue to see whether it comes back. On the results queue it keeps a tracker awake, or wakes one, where the queue's
// metrics decide whether one runs.
type probe struct {
	V     int    `json:"v"`
	Probe string `json:"probe"`
}

// EncodeProbe gives the body of a probe. The ID tells it from other probes.
func EncodeProbe(id string) string {
	body, err := json.Marshal(probe{Version, id})
	if err != nil {
		panic("encode probe: " + err.Error()) // a probe holds nothing that JSON cannot
	}
	return string(body)
}

// IsProbe says whether a message body is a probe.
func IsProbe(body string) bool {
	var p probe
	return strings.HasPrefix(body, `{"v":1,"probe":"`) && json.Unmarshal([]byte(body), &p) == nil && p.Probe != ""
}
