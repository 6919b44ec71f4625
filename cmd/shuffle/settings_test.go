package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// A flag overrides the environment, which overrides .env, which overrides the default. Each source
// has another invalid bucket URL, and the refusal shows which one was used.
func TestSettingsPrecedence(t *testing.T) {
	for _, tc := range []struct {
		name, flag, variable, file string
		want                       string
	}{
		{"the flag wins", "flag:", "variable:", "file:a", "flag:"},
		{"then the environment", "", "variable:", "file:a", "variable:"},
		{"then .env", "", "", "file:a", "file:a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			// Restored at the end of the test, also when .env has set it.
			t.Setenv("SHUFFLE_BUCKET", tc.variable)
			if tc.variable == "" {
				if err := os.Unsetenv("SHUFFLE_BUCKET"); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(".env", []byte("# settings\nSHUFFLE_BUCKET="+tc.file+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"status"}
			if tc.flag != "" {
				args = append(args, "--bucket", tc.flag)
			}
			var out, said bytes.Buffer
			err := run(t.Context(), args, &out, &said)
			if exitCode(err) != 2 || !strings.Contains(said.String(), `bucket "`+tc.want+`"`) {
				t.Errorf("exit code %d: %s%s", exitCode(err), &out, &said)
			}
		})
	}
}

// A .env that cannot be parsed refuses every command.
func TestBrokenEnvFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env", []byte("SHUFFLE BUCKET\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	if err := run(t.Context(), []string{"status"}, &out, &said); exitCode(err) != 2 || !strings.Contains(said.String(), "read .env") {
		t.Errorf("exit code %d: %s%s", exitCode(err), &out, &said)
	}
}
