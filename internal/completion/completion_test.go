package completion

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "write the golden files anew")

// grammar has a flag and a command of each kind.
type grammar struct {
	Local    string   `help:"Keep it in this folder: [here]. Or there." placeholder:"DIR"`
	LogLevel string   `help:"How much." enum:"auto,debug,info" default:"auto"`
	Alias    []string `help:"Further names of the bucket's."`
	Secret   string   `hidden:""`

	Plan struct {
		Episode []string `help:"This one only; repeatable."`
		DryRun  bool     `help:"Write nothing."`
	} `cmd:"" help:"Compare sheets and datasets."`
	Pull struct {
		Dir string `arg:"" help:"Where to."`
	} `cmd:"" help:"Download it: all."`
	Completion struct {
		Shell string `arg:"" enum:"bash,zsh,fish"`
	} `cmd:"" help:"Print a script."`
	Gone struct{} `cmd:"" hidden:""`
}

func model(t *testing.T) *kong.Application {
	t.Helper()
	k, err := kong.New(&grammar{}, kong.Name("shuffle"))
	if err != nil {
		t.Fatal(err)
	}
	return k.Model
}

func script(t *testing.T, shell string) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, shell, model(t)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestScripts(t *testing.T) {
	for _, shell := range Shells {
		golden := filepath.Join("testdata", "shuffle."+shell)
		got := script(t, shell)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs (go test ./internal/completion -update writes it anew):\n%s", golden, got)
		}
	}
	if err := Write(&bytes.Buffer{}, "tcsh", model(t)); err == nil || !strings.Contains(err.Error(), "bash, zsh, fish") {
		t.Errorf("tcsh: %v", err)
	}
}

// The shell itself completes what is typed; the last word is the one that the cursor is at.
func TestInBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	file := filepath.Join(t.TempDir(), "completion")
	if err := os.WriteFile(file, []byte(script(t, "bash")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		typed []string
		want  string
	}{
		{[]string{""}, "plan pull completion"},
		{[]string{"p"}, "plan pull"},
		{[]string{"plan", ""}, ""},
		{[]string{"plan", "--d"}, "--dry-run"},
		{[]string{"plan", "--"}, "--episode --dry-run --help --local --log-level --alias"},
		{[]string{"--lo"}, "--local --log-level"},
		{[]string{"--log-level", ""}, "auto debug info"},
		{[]string{"--log-level", "d"}, "debug"},
		{[]string{"--local", ""}, ""},                   // files
		{[]string{"--local", "plan", "p"}, "plan pull"}, // a folder of a command's name
		{[]string{"completion", ""}, "bash zsh fish"},
		{[]string{"completion", "z"}, "zsh"},
		{[]string{"pull", ""}, ""}, // files
	} {
		words := append([]string{"shuffle"}, test.typed...)
		do := `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shuffle; echo "${COMPREPLY[@]}"`
		out, err := exec.CommandContext(t.Context(), bash, slices.Concat([]string{"--norc", "-c", do, "bash", file}, words)...).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != test.want {
			t.Errorf("%q: %q, %v; want %q", test.typed, got, err, test.want)
		}
	}
}
