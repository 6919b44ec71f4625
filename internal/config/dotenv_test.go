package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/config"
)

// load writes the text as .env in a new folder and loads it.
func load(t *testing.T, text string) (config.Environment, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.LoadEnv(".env")
}

// unset takes a variable away for the time of the test.
func unset(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		t.Setenv(name, "") // which puts it back afterwards
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLoad(t *testing.T) {
	const a, b = "SHUFFLE_TEST_A", "SHUFFLE_TEST_B"
	for _, tc := range []struct{ name, text, a, b string }{
		{"plain", a + "=1\n" + b + "=2\n", "1", "2"},
		{"no line end at the end", a + "=1\n" + b + "=2", "1", "2"},
		{"a byte order mark", "\uFEFF" + a + "=1\n", "1", ""},
		{"CRLF", a + "=1\r\n" + b + "='2'\r\n", "1", "2"},
		{"CR alone", a + "=1\r" + b + "=2\r", "1", "2"},
		{"export", "export " + a + "=1\nexport\t" + b + "=\"2\"", "1", "2"},
		{"comments and blank lines", "# " + b + "=3\n\n" + a + "=1 # one\n", "1", ""},
		{"quotes", a + "='one two'\n" + b + "=\"a # b\"\n", "one two", "a # b"},
		{"several lines", a + "=\"one\ntwo\nthree\"\n" + b + "='x\ny'\n", "one\ntwo\nthree", "x\ny"},
		{"blanks inside the quotes", a + "=' 1 '\n", "1", ""},
		{"an empty value counts as not set", a + "=\n" + b + "=''\n", "", ""},
		{"a value that uses an earlier one", a + "=x\n" + b + "=${" + a + "}y\n", "x", "xy"},
		{"the colon of YAML", a + ": 1\n", "1", ""},
		{"an empty file", "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			unset(t, a, b)
			env, err := load(t, tc.text)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]string{a: tc.a, b: tc.b} {
				got, set := os.LookupEnv(name)
				if got != want || set != (want != "") || env.FromFile[name] != set {
					t.Errorf("%s is %q (set: %v, from the file: %v), expected %q", name, got, set, env.FromFile[name], want)
				}
			}
		})
	}
}

// A typing error is reported with file, line and name. Nothing else of the file is in the message.
func TestSlips(t *testing.T) {
	const secret = "hush-5f3a"
	for _, tc := range []struct{ name, text, says string }{
		{"no equals sign", "# settings\nSHUFFLE_TEST_A\nPASSWORD=" + secret, "line 2:"},
		{"no equals sign in the last line", "A_B=1\n" + secret, "line 2:"},
		{"only a secret", secret, "line 1:"},
		{"blank in the name", "SHUFFLE TEST=" + secret + "\n", "line 1:"},
		{"a hyphen in the name", "A_B=1\n\nSHUFFLE-TEST=" + secret + "\n", "line 3:"},
		{"a quote that does not end", "A_B=1\nSHUFFLE_TEST_A=\"" + secret + "\nC_D=2\n", "line 2 (SHUFFLE_TEST_A):"},
		{"a quote that ends in another's", "export SHUFFLE_TEST_A='" + secret + "\nC_D='2'\n", "line 1 (SHUFFLE_TEST_A):"},
		{"text after the quotes", "SHUFFLE_TEST_A='x' " + secret + "\n", "line 1 (SHUFFLE_TEST_A):"},
		{"after a value of several lines", "A_B='1\n2\n3'\nSHUFFLE_TEST_A=\"" + secret, "line 4 (SHUFFLE_TEST_A):"},
		{"a key pasted as it is", "A_B=-----BEGIN PRIVATE KEY-----\n" + secret + "+/==\n", "line 2:"},
		{"no name", "=" + secret + "\n", "line 1:"},
		{"a secret instead of a name", "hush+5f3a=x\n", "line 1:"},
		{"JSON", "{\"private_key\": \"" + secret + "\"}", "line 1:"},
		{"UTF-16", "\xff\xfeA\x00=\x00" + secret, "UTF-16"},
		{"too long", "A_B=" + strings.Repeat(secret, 10_000), "bytes"},
		{"NUL", "A_B=" + secret + "\x00", "UTF-8"},
		{"a lost line end", "SHUFFLE_TEST_A=0s AWS_SECRET_ACCESS_KEY=" + secret, "SHUFFLE_TEST_A holds another variable, AWS_SECRET_ACCESS_KEY"},
		{"a line end that is spelt out", `SHUFFLE_TEST_A=x\nAWS_SECRET_ACCESS_KEY=` + secret, "SHUFFLE_TEST_A holds another variable"},
		{"a semicolon for a line end", "SHUFFLE_TEST_A=info;AWS_SESSION_TOKEN = " + secret, "SHUFFLE_TEST_A holds another variable, AWS_SESSION_TOKEN"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := load(t, tc.text)
			if err == nil {
				t.Fatal("it is taken")
			}
			if said := err.Error(); !strings.Contains(said, "read .env") || !strings.Contains(said, tc.says) || strings.Contains(said, "hush") {
				t.Errorf("got %q, expected %q and no secret", said, tc.says)
			}
		})
	}
}

// What a container runtime or a shell leaves around a value goes away, for the variables that the
// program reads.
func TestEnvironmentIsCleaned(t *testing.T) {
	unset(t, "SHUFFLE_TEST_C")
	for name, value := range map[string]string{
		"SHUFFLE_TEST_A": `"tuttle_twins"`, "SHUFFLE_TEST_B": "'x' \r", "SHUFFLE_TEST_D": "\uFEFF y\t",
		"AWS_TEST_E": "\"us-west-2\"\r", "GOOGLE_TEST_F": "'a b'", "SHUFFLE_TEST_G": "", "TEST_H": `"kept"`, "SHUFFLE_TEST_I": `it"s`,
	} {
		t.Setenv(name, value)
	}
	if _, err := load(t, "SHUFFLE_TEST_A=file\nSHUFFLE_TEST_C=file\nSHUFFLE_TEST_G=file\n"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"SHUFFLE_TEST_A": "tuttle_twins", "SHUFFLE_TEST_B": "x", "SHUFFLE_TEST_C": "file", "SHUFFLE_TEST_D": "y",
		"AWS_TEST_E": "us-west-2", "GOOGLE_TEST_F": "a b", "SHUFFLE_TEST_G": "file", "TEST_H": `"kept"`, "SHUFFLE_TEST_I": `it"s`,
	} {
		if got := os.Getenv(name); got != want {
			t.Errorf("%s is %q, expected %q", name, got, want)
		}
	}
}

func TestNoFile(t *testing.T) {
	env, err := config.LoadEnv(filepath.Join(t.TempDir(), ".env"))
	if err != nil || len(env.FromFile) != 0 {
		t.Errorf("%+v, %v", env, err)
	}
}
