package main

import (
	"bytes"
	"regexp"
	"runtime/debug"
	"testing"
)

func TestVersionLine(t *testing.T) {
	t.Parallel()
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "3d075911d2635e7ce29e1a43505232367886db17"}}
	modified := append(commit, debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	for _, test := range []struct {
		given, module string
		settings      []debug.BuildSetting
		want          string
	}{
		{"", "v1.2.3", nil, "shuffle v1.2.3 go1.26.0"},
		{"", "(devel)", commit, "shuffle (devel) 3d075911d263 go1.26.0"},
		{"", "(devel)", modified, "shuffle (devel) 3d075911d263 modified go1.26.0"},
		{"", "v0.0.0-20261130013605-3d075911d263+dirty", modified, "shuffle v0.0.0-20261130013605-3d075911d263+dirty go1.26.0"},
		{"v2", "(devel)", nil, "shuffle v2 go1.26.0"},
		{"", "", nil, "shuffle (devel) go1.26.0"},
	} {
		build := &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: test.module}, Settings: test.settings}
		if got := versionLine(test.given, build); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// shuffle --version: one line, without any setting.
func TestVersion(t *testing.T) {
	t.Parallel()
	var out, logs bytes.Buffer
	if err := run(t.Context(), []string{"--version"}, &out, &logs); err != nil || logs.Len() > 0 || !regexp.MustCompile(`^shuffle \S+( \S+)* go1\.\d+\S*\n$`).Match(out.Bytes()) {
		t.Errorf("%v: %q %q", err, out.String(), logs.String())
	}
}
