package testenv_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// make test begins with a script that installs Chromium if it is missing, or prints why it cannot.
// Here apt-get is a fake; its arguments are real.
func TestBrowserIsInstalled(t *testing.T) {
	const chromium = "#!/bin/sh\n"
	for _, tc := range []struct {
		name      string
		installed bool
		named     string // SHUFFLE_TEST_BROWSER
		apt       string // action of apt-get; "" is none
		fails     string // message of the script when it fails; "" when it succeeds
		asked     string // the arguments of apt-get
	}{
		{name: "there", installed: true, apt: "exit 1"},
		{name: "named", named: "/bin/sh"},
		{name: "named, and not there", installed: true, named: "/no/browser", fails: "SHUFFLE_TEST_BROWSER names /no/browser, which is no command"},
		{name: "no apt-get", fails: "install Chromium or Chrome, or name one in SHUFFLE_TEST_BROWSER"},
		{name: "installed now", apt: `[ "$1" = update ] || { : >"${0%/*}/chromium" && chmod +x "${0%/*}/chromium"; }`, asked: "update -q|install -q -y --no-install-recommends chromium fonts-liberation|"},
		{name: "no list of packages", apt: "exit 100", fails: "apt-get could not install it", asked: "update -q|"},
		{name: "no package", apt: `[ "$1" = update ]`, fails: "apt-get could not install it", asked: "update -q|install -q -y --no-install-recommends chromium fonts-liberation|"},
		{name: "a package without the command", apt: "true", fails: "there is no such command", asked: "update -q|install -q -y --no-install-recommends chromium fonts-liberation|"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bin := t.TempDir()
			write := func(name, script string) {
				if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"bash", "env", "chmod"} {
				path, err := exec.LookPath(name)
				if err == nil {
					err = os.Symlink(path, filepath.Join(bin, name))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			write("id", "#!/bin/sh\necho 0\n")
			if tc.installed {
				write("google-chrome", chromium)
			}
			if tc.apt != "" {
				write("apt-get", "#!/bin/sh\nprintf '%s|' \"$*\" >>\"${0%/*}/asked\"\n"+tc.apt+"\n")
			}
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "bash"), "../../../.ci/browser")
			cmd.Env = []string{"PATH=" + bin, "SHUFFLE_TEST_BROWSER=" + tc.named}
			out, err := cmd.CombinedOutput()
			if (err != nil) != (tc.fails != "") || !strings.Contains(string(out), tc.fails) {
				t.Errorf("%v, expected %q: %s", err, tc.fails, out)
			}
			if asked, _ := os.ReadFile(filepath.Join(bin, "asked")); string(asked) != tc.asked {
				t.Errorf("asked apt-get for %q, expected %q", asked, tc.asked)
			}
		})
	}
}
