package show

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "S01E01 row 17: no source image", "S01E01 row 17: no source image"},
		{"accents and wide letters", "Émile 雪 naïve", "Émile 雪 naïve"},
		{"clear the screen", "a\x1b[2Jb", "a�[2Jb"},
		{"C1 control sequence introducer", "a\u009b31mb", "a�31mb"},
		{"raw byte of the same", "a\x9b31mb", "a�31mb"},
		{"set the window's title", "\x1b]0;rm -rf\a", "�]0;rm -rf�"},
		{"lines", "a\nb\r\nc\td\u2028e\u0085f", "a b  c d e f"},
		{"other spaces", "a\u00a0b\u3000c", "a b c"},
		{"bidi overrides and isolates", "\u202egpj.exe\u2066x\u2069", "�gpj.exe�x�"},
		{"invisible", "a\u200bb\u00adc\ufeffd\u2060e", "a�b�c�d�e"},
		{"tag characters", "a\U000e0041b", "a�b"},
		{"backspace and delete", "ab\b\x7f", "ab��"},
		{"private use", "\ue0a0", "�"},
		{"broken UTF-8", "a\xffb\xc3", "a�b�"},
		{"NUL", "\x00", "�"},
	}
	for _, test := range tests {
		if got := Clean(test.in); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func harmless(r rune) bool { return r == ' ' || unicode.IsPrint(r) }

func TestCleanLeavesNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "in")
		got := Clean(in)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !harmless(r) }) {
			t.Fatalf("%q became %q", in, got)
		}
		if Clean(got) != got {
			t.Fatalf("cleaning %q again changes it", got)
		}
	})
}

// Whatever the values hold, what reaches the terminal are lines of printable characters.
func TestPagesAreClean(t *testing.T) {
	for name, render := range pages() {
		page := printed(t, render, Style{})
		if strings.ContainsFunc(page, func(r rune) bool { return r != '\n' && !harmless(r) }) {
			t.Errorf("%s: %q", name, page)
		}
	}
}
