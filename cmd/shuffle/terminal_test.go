package main

import "testing"

func TestWord(t *testing.T) {
	for name, want := range map[string]string{
		"./shuffle-demo": "./shuffle-demo", "my dir": "'my dir'", "Jonny's": `'Jonny'\''s'`, "$HOME;x": "'$HOME;x'", "": "''",
	} {
		if got := word(name); got != want {
			t.Errorf("%s as a word: %s, expected %s", name, got, want)
		}
	}
}
