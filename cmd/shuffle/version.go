package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"strings"
)

// release is the version of a build that does not know it, such as one of a container without the
// repository: go build -ldflags "-X main.release=v1.2.3".
var release string

// versionLine names the build: its version, its commit where it was built in the repository, and
// Go's version.
func versionLine(given string, build *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range build.Settings {
		settings[s.Key] = s.Value
	}
	line := "shuffle " + cmp.Or(given, build.Main.Version, "(devel)")
	// Go's own version of a build in the repository has both in it already.
	if revision := fmt.Sprintf("%.12s", settings["vcs.revision"]); revision != "" && !strings.Contains(line, revision) {
		line += " " + revision
	}
	if settings["vcs.modified"] == "true" && !strings.Contains(line, "+dirty") {
		line += " modified"
	}
	return line + " " + build.GoVersion
}
