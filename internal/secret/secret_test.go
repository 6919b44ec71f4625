package secret_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/secret"
)

const pemKey = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nhushhushhushhush\n-----END PRIVATE KEY-----\n"

func TestDescribe(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{"a path", "/run/secrets/google_service_account.json", `"/run/secrets/google_service_account.json"`},
		{"a long path without a dot", "/run/secrets/google/service/account/of/the/project", `"/run/secrets/google/service/account/of/the/project"`},
		{"a long relative path", "datasets/TuttleTwins/2026/shuffle_pull_of_november", `"datasets/TuttleTwins/2026/shuffle_pull_of_november"`},
		{"a long name", "google-shuffle-production-service-account-key", `"google-shuffle-production-service-account-key"`},
		{"a name", "key.json", `"key.json"`},
		{"nothing", "", `""`},
		{"base64", strings.Repeat("bGV0IG1l", 8), "a value of 64 characters, probably base64"},
		{"a secret key of AWS", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "a value of 40 characters, probably base64"},
		{"PEM", pemKey, "a value of 104 characters, with a private key in it"},
		{"JSON", `{"a":"b"}`, "a value of 9 characters"},
		{"JSON in quotes, cut off", `'{"private_key": "` + strings.Repeat("x.", 1000), "a value of 2,018 characters"},
		{"several lines", "a\nb", "a value of 3 characters"},
		{"a URL with a password", "https://u:hush@host/x?a=1", `"https://***@host/x?a=1"`},
		{"a password without a scheme", "u:hush@host:1", `"***@host:1"`},
		{"a URL with a key", "https://host/x?api_key=hush&a=1", `"https://host/x?api_key=***&a=1"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := secret.Describe(tc.value); got != tc.want {
				t.Errorf("got %s, expected %s", got, tc.want)
			}
		})
	}
}

// Whatever way a library quotes a secret setting in, it is masked.
func TestHider(t *testing.T) {
	environ := []string{
		"AWS_SECRET_ACCESS_KEY=hush-aws/key+1", "AWS_SESSION_TOKEN=hush-session-token", "AWS_ENDPOINT_URL=http://user:hush%20pass@host:1",
		"SHUFFLE_SHEETS_ENDPOINT=https://host/?key=hush-query-key", "GOOGLE_DRIVE_CREDENTIALS_FILE=" + pemKey,
		"HTTPS_PROXY=http://hush-proxy-token@proxy:3128", "SHUFFLE_PREFIX=tuttle_twins", "PASSWORD=not-ours-not-read", "AWS_ACCESS_KEY_ID=shown-identifier",
	}
	args := []string{"--google-drive-credentials-file", `{"private_key":"hush-key-in-json","client_email":"a@shown.example.com"}`, "--sheets-endpoint=http://me:hush-flag-pass@x"}
	var out bytes.Buffer
	var hider secret.Hider
	w := hider.Writer(&out)
	hider.Hide(secret.Find(environ, args))
	for _, text := range append(slices.Clone(environ), args...) {
		if n, err := fmt.Fprintf(w, "%s and %q\n", text, text); err != nil || n == 0 {
			t.Fatal(n, err)
		}
	}
	_, _ = io.WriteString(w.Over(&out), "hush pass, hush-aws%2Fkey%2B1\n")
	if strings.Contains(out.String(), "hush") {
		t.Errorf("a secret is printed:\n%s", out.String())
	}
	for _, shown := range []string{"tuttle_twins", "host:1", "a@shown.example.com", "not-ours-not-read", "shown-identifier", "proxy:3128"} {
		if !strings.Contains(out.String(), shown) {
			t.Errorf("%s is masked:\n%s", shown, out.String())
		}
	}
	if secret.Unwrap(w) != io.Writer(&out) || secret.Unwrap(&out) != io.Writer(&out) {
		t.Error("the writer behind the masks is another")
	}
}

// LocalStack's secret is a common word.
func TestShortSecretsAreNotMasked(t *testing.T) {
	var out bytes.Buffer
	var hider secret.Hider
	hider.Hide(secret.Find([]string{"AWS_SECRET_ACCESS_KEY=test"}, nil))
	_, _ = io.WriteString(hider.Writer(&out), "test=0.2")
	if out.String() != "test=0.2" {
		t.Errorf("printed %q", &out)
	}
}
