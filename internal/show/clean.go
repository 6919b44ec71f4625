package show

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// Clean makes untrusted text safe to print on one line. All white space becomes a plain space.
// Characters without a glyph become U+FFFD: control characters with ESC and the C1 set,
// bidirectional overrides and other invisible formatting, private and unassigned characters, broken
// UTF-8.
func Clean(s string) string { return strings.Map(cleanRune, s) }

func cleanRune(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsPrint(r):
		return r
	}
	return utf8.RuneError
}

// terminal measures text. It ignores the environment, so that the same values always print the same
// page.
var terminal = runewidth.Condition{StrictEmojiNeutral: true}

// width is the number of columns that text takes when it is printed.
func width(s string) int { return terminal.StringWidth(Clean(s)) }
