package open_test

import (
	"os"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/gsheet"
	"github.com/angel-nft/google-shuffle/internal/open"
)

// TestCredentialsAsJSON: the service account comes as a file, or as the JSON that ECS takes out of a secret.
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
		`{"type":"authorized_user","private_key":"hush"}`, `{"client_email":"a@b.c","private_key":"hush"}`, `{"private_key":"hush"`,
	} {
		_, err := newOpener(t).Sheets(t.Context(), "google://", open.Google{CredentialsFile: value})
		if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "GOOGLE_DRIVE_CREDENTIALS_FILE") {
			t.Errorf("got %v, expected a message that names the variable and not its value", err)
		}
	}
}
