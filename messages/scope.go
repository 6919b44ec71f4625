package messages

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Scope names an environment: the bucket's or folder's name, and the prefix below it. By it two
// environments that share queues by mistake recognise their own messages. Characters of a folder's
// name that a message may not have become "_".
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

// OtherScope reports whether a message belongs to another environment. A message without a scope
// may belong to any, and a reader without a scope accepts all.
func OtherScope(own, scope string) bool { return own != "" && scope != "" && own != scope }

// maxScope allows a bucket's or folder's name of 255 bytes, a slash and the longest key.
const maxScope = 255 + 1 + 1024

func checkScope(scope string) error {
	if len(scope) > maxScope || !utf8.ValidString(scope) || strings.ContainsFunc(scope, unicode.IsControl) {
		return fmt.Errorf("scope %.100q of %d bytes, expected a bucket's name and prefix", scope, len(scope))
	}
	return nil
}

// probe is a message without content. Workers and trackers that receive it acknowledge it. shuffle
// doctor sends one to each queue and checks that it can be received. On the results queue it also
// keeps a tracker running, or starts one, where autoscaling depends on the queue's metrics.
type probe struct {
	V     int    `json:"v"`
	Probe string `json:"probe"`
}

// EncodeProbe returns the body of a probe. The ID distinguishes it from other probes.
func EncodeProbe(id string) string {
	body, err := json.Marshal(probe{Version, id})
	if err != nil {
		panic("encode probe: " + err.Error()) // every field of a probe can be encoded
	}
	return string(body)
}

// IsProbe reports whether a message body is a probe.
func IsProbe(body string) bool {
	var p probe
	return strings.HasPrefix(body, `{"v":1,"probe":"`) && json.Unmarshal([]byte(body), &p) == nil && p.Probe != ""
}
