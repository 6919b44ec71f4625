package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"strings"
)

// release is the version of a build outside the repository, such as a container's. The linker sets
// it: go build -ldflags "-X main.release=v1.2.3".
var release string

// versionLine names the version of the build, its commit where that is known, and the version of
// Go.
func versionLine(given string, build *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range build.Settings {
		settings[s.Key] = s.Value
	}
	line := "shuffle " + cmp.Or(given, build.Main.Version, "(devel)")
	// Inside the repository, Go's version of the build already contains the commit.
	if revision := fmt.Sprintf("%.12s", settings["vcs.revision"]); revision != "" && !strings.Contains(line, revision) {
		line += " " + revision
	}
	if settings["vcs.modified"] == "true" && !strings.Contains(line, "+dirty") {
		line += " modified"
	}
	return line + " " + build.GoVersion
}
