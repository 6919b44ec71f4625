package open_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/gsheet"
	"github.com/angel-nft/google-shuffle/internal/open"
)

// TestCredentialsAsJSON: the service account comes as a file, or as the JSON that ECS takes out of
// a secret.
func TestCredentialsAsJSON(t *testing.T) {
	file := serviceAccount(t, "https://oauth2.example.com/token")
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"file": file, "JSON": string(body), "JSON after a blank line": "\n " + string(body)} {
		t.Run(name, func(t *testing.T) {
			s, err := newOpener(t).Sheets(t.Context(), "google://", open.Google{CredentialsFile: value})
			if err != nil {
				t.Fatal(err)
			}
			if got := s.(*gsheet.Sheets).Account; got != "shuffle@example.iam.gserviceaccount.com" {
				t.Errorf("account %q", got)
			}
		})
	}
}

// TestCredentialsAreNotQuoted: a message about credentials that do not parse holds nothing of them.
func TestCredentialsAreNotQuoted(t *testing.T) {
	for _, value := range []string{
		"AIzaSyhush", "GOCSPX-hush", "ya29.hush", "wJalrXUtnFEMI/K7MDENG/hush", "/K7MDENG/hush",
		`{"type":"authorized_user","private_key":"hush"}`, `{"client_email":"a@b.c","private_key":"hush"}`, `{"private_key":"hush"`,
	} {
		_, err := newOpener(t).Sheets(t.Context(), "google://", open.Google{CredentialsFile: value})
		if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "GOOGLE_DRIVE_CREDENTIALS_FILE") {
			t.Errorf("got %v, expected a message that names the variable and not its value", err)
		}
	}
}

// TestCredentialsInOtherClothes: quotes and a byte order mark around the JSON, in the variable or
// in the file, are no obstacle.
func TestCredentialsInOtherClothes(t *testing.T) {
	file := serviceAccount(t, "https://oauth2.example.com/token")
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const mark = "\uFEFF"
	for name, text := range map[string]string{
		"byte order mark": mark + string(body), "single quotes": "'" + string(body) + "'", "double quotes": `"` + string(body) + `"`,
		"both": mark + "'" + string(body) + "'\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			other := filepath.Join(t.TempDir(), "key.json")
			if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, value := range []string{text, other, `"` + other + `"`} {
				if _, err := newOpener(t).Sheets(t.Context(), "google://", open.Google{CredentialsFile: value}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestKeysInTheWrongShape: what is no JSON and no file name is told in words, from the variable and
// from a file.
func TestKeysInTheWrongShape(t *testing.T) {
	account, err := os.ReadFile(serviceAccount(t, "https://oauth2.example.com/token"))
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]string
	if err := json.Unmarshal(account, &fields); err != nil {
		t.Fatal(err)
	}
	key := fields["private_key"]
	secretPart := strings.Split(key, "\n")[5]
	for _, tc := range []struct{ name, value, says string }{
		{"base64", base64.StdEncoding.EncodeToString(account), "characters, probably base64 that is no"},
		{"base64 in lines", "\n" + base64.StdEncoding.EncodeToString(account[:60]) + "\n" + secretPart, "characters, probably base64"},
		{"base64 for URLs", base64.URLEncoding.EncodeToString(account), "characters, probably base64"},
		{"PEM", key, "with a private key in it"},
		{"PEM on one line", strings.ReplaceAll(key, "\n", `\n`), "with a private key in it"},
		{"a line of the key", secretPart, "probably base64"},
		{"JSON that is cut off", string(account[:len(account)-9]), "is damaged"},
		{"JSON with escaped quotes", strings.ReplaceAll(string(account), `"`, `\"`), "is damaged"},
		{"JSON in an assignment", "KEY=" + string(account), "a private key"},
		{"JSON with line breaks in the key", strings.ReplaceAll(string(account), `\n`, "\n"), "is damaged"},
		{"a list", "[" + string(account) + "]", "a private key"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "key.json")
			if err := os.WriteFile(file, []byte(tc.value), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, value := range []string{tc.value, file} {
				_, err := newOpener(t).Sheets(t.Context(), "google://", open.Google{CredentialsFile: value})
				if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), "GOOGLE_DRIVE_CREDENTIALS_FILE") {
					t.Errorf("got %v, expected %q", err, tc.says)
					continue
				}
				if strings.Contains(err.Error(), secretPart) || len(err.Error()) > 600 {
					t.Errorf("the message shows the key: %v", err)
				}
			}
		})
	}
	t.Run("Google's own variable", func(t *testing.T) {
		t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", string(account))
		_, err := newOpener(t).Sheets(t.Context(), "google://", open.Google{})
		if err == nil || strings.Contains(err.Error(), secretPart) || !strings.Contains(err.Error(), "GOOGLE_DRIVE_CREDENTIALS_FILE takes the JSON") {
			t.Errorf("got %v", err)
		}
	})
}
