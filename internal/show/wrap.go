package show

import (
	"regexp"
	"strings"
)

// glue is a space at which no line is broken.
const glue = "\u00a0"

// commandPattern matches text that a reader may copy from a sentence: a command of this program
// with its arguments, and a flag with its episode.
var commandPattern = regexp.MustCompile(`(\bgo run \./cmd/|\b)shuffle( --local ('[^']*'|\S+))? [a-z]+( --[a-z-]+| [0-9]{8}T[0-9]{6}Z-[0-9]+(-[a-z0-9]{4})?| [0-9]+| S[0-9]+E[0-9]+){0,3}|--[a-z-]+ S[0-9]+E[0-9]+`)

// splitWords splits text at its spaces. A command stays one word.
func splitWords(text string) []string {
	text = commandPattern.ReplaceAllStringFunc(Clean(text), func(s string) string { return strings.ReplaceAll(s, " ", glue) })
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' })
}

// wrap breaks spans into lines of the given widths. A word that is too long for a line gets its own
// line and is not broken, since a broken key or command could not be copied.
func wrap(spans []span, first, others int) [][]span {
	var lines [][]span
	var line []span
	free := first
	for _, s := range spans {
		for _, word := range splitWords(s.text) {
			need := width(word)
			if len(line) > 0 && need+1 > free {
				lines, line, free = append(lines, line), nil, others
			}
			if len(line) > 0 {
				free--
			}
			line, free = appendWord(line, span{word, s.color}), free-need
		}
	}
	if len(line) > 0 {
		lines = append(lines, line)
	}
	return lines
}

// appendWord adds a word to a line, to the last span if that has the same colour.
func appendWord(line []span, word span) []span {
	if len(line) == 0 {
		return []span{word}
	}
	if last := &line[len(line)-1]; last.color == word.color {
		last.text += " " + word.text
		return line
	}
	return append(line, plain(" "), word)
}
