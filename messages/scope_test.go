package messages

import (
	"errors"
	"testing"
)

func TestScope(t *testing.T) {
	for _, tc := range []struct{ bucket, prefix, want string }{
		{"media.angel-nft.com", "tuttle_twins", "media.angel-nft.com/tuttle_twins"},
		{"bucket", "a/b", "bucket/a/b"},
		{"bucket", "", "bucket"},
		{"a\nb\xff\uFFFE", "é", "a_b__/é"},
	} {
		if got := Scope(tc.bucket, tc.prefix); got != tc.want {
			t.Errorf("Scope(%q, %q) = %q, want %q", tc.bucket, tc.prefix, got, tc.want)
		}
	}
}

// A message without a scope is an earlier build's, and taken.
func TestOtherScope(t *testing.T) {
	for _, tc := range []struct {
		own, scope string
		want       bool
	}{
		{"b/p", "b/p", false}, {"b/p", "b/q", true}, {"b/p", "b", true}, {"b/p", "B/p", true}, {"b/p", "", false}, {"", "b/q", false},
	} {
		if got := OtherScope(tc.own, tc.scope); got != tc.want {
			t.Errorf("OtherScope(%q, %q) = %t", tc.own, tc.scope, got)
		}
	}
}

func TestProbe(t *testing.T) {
	body := EncodeProbe("id-1")
	if !IsProbe(body) {
		t.Errorf("%s is no probe", body)
	}
	if _, err := ParseTask(body); !errors.Is(err, ErrUnreadable) {
		t.Errorf("a probe is a task: %v", err)
	}
	if _, err := ParseResults(body); !errors.Is(err, ErrUnreadable) {
		t.Errorf("a probe is results: %v", err)
	}
	for _, other := range []string{
		"", "{}", `{"v":1,"probe":""}`, `{"v":2,"probe":"x"}`, `{"v":1,"probe":"x"`, `{"v":1,"probe":7}`,
		golden(t, "task-move.json"), golden(t, "results.json"),
	} {
		if IsProbe(other) {
			t.Errorf("%.60q is a probe", other)
		}
	}
}
