package browsertest

import (
	_ "embed" // axe-core
	"fmt"
	"strings"
)

// axe is axe-core 4.14.1 (https://github.com/dequelabs/axe-core), unchanged, under the Mozilla
// Public License 2.0, which is in the same folder.
//
//go:embed testdata/axe.min.js
var axe string

type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// Axe fails the test for every rule of axe-core that the page violates, with best practices.
func (tab *Tab) Axe(name string) {
	tab.t.Helper()
	if !Eval[bool](tab, "typeof axe === 'object'") {
		Eval[bool](tab, axe+"; true")
	}
	for _, v := range Eval[[]violation](tab, "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)") {
		var b strings.Builder
		for i, n := range v.Nodes[:min(len(v.Nodes), 3)] {
			fmt.Fprintf(&b, "\n  %d: %.300s\n     %s", i+1, n.HTML, strings.ReplaceAll(n.Summary, "\n", " "))
		}
		tab.t.Errorf("%s: axe %s: %s (%d elements)%s", name, v.ID, v.Help, len(v.Nodes), b.String())
	}
}
