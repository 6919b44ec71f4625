package open

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"google.golang.org/api/option"

	"github.com/angel-nft/google-shuffle/internal/config"
	"github.com/angel-nft/google-shuffle/internal/filesheet"
	"github.com/angel-nft/google-shuffle/internal/gsheet"
	"github.com/angel-nft/google-shuffle/internal/secret"
)

// Google has the address and the credentials of the Sheets API.
type Google struct {
	Endpoint        string // another base URL; then no credentials are used
	CredentialsFile string // a service account's file, or its JSON itself; "" is Google's application default credentials
}

// Sheets opens google:// or file:///DIR.
func (o *Opener) Sheets(ctx context.Context, raw string, google Google) (Sheets, error) {
	const expected = "google:// or file:///DIR"
	u, err := parse("sheets", raw, expected)
	if err != nil {
		return nil, err
	}
	switch {
	case u.Scheme == "google" && u.Host == "" && u.Path == "":
		return openGoogle(ctx, google)
	case u.Scheme == "file" && filePath(u) != "":
		return filesheet.Open(filePath(u))
	}
	return nil, unknown("sheets", raw, expected)
}

func openGoogle(ctx context.Context, google Google) (Sheets, error) {
	if google.Endpoint != "" {
		return gsheet.New(ctx, option.WithEndpoint(google.Endpoint), option.WithoutAuthentication())
	}
	if google.CredentialsFile == "" {
		// Google's library expects a file's name here. Its error would print a key.
		if value := os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"); value != "" && secret.Looks(value) && !isFile(value) {
			return nil, fmt.Errorf("GOOGLE_APPLICATION_CREDENTIALS: found %s, expected the path of a JSON file; GOOGLE_DRIVE_CREDENTIALS_FILE takes the JSON itself, too", secret.Describe(value))
		}
		s, err := gsheet.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w; name the service account's JSON file in GOOGLE_DRIVE_CREDENTIALS_FILE", err)
		}
		return s, nil
	}
	credentials, name, err := google.credentials()
	if err != nil {
		return nil, fmt.Errorf("read the service account (GOOGLE_DRIVE_CREDENTIALS_FILE): %w", err)
	}
	account := gsheet.AccountOf(credentials)
	if account == "" {
		return nil, fmt.Errorf("service account %s (GOOGLE_DRIVE_CREDENTIALS_FILE): expected the JSON of a service account, found no client_email in it", name)
	}
	s, err := gsheet.New(ctx, option.WithAuthCredentialsJSON(option.ServiceAccount, credentials))
	if err != nil {
		return nil, fmt.Errorf("service account %s (GOOGLE_DRIVE_CREDENTIALS_FILE): %w", name, err)
	}
	s.Account = account
	return s, nil
}

// credentials returns the service account's JSON, and its name for messages. The variable may have
// the JSON itself, because ECS puts the value of a secret into a variable. Any other value is only
// described, because it may be a key.
func (g Google) credentials() (body []byte, name string, err error) {
	value, expected := config.Clean(g.CredentialsFile), "expected the path of the service account's JSON file, or the JSON itself"
	switch {
	case strings.HasPrefix(value, "{"):
		body, name = []byte(value), "given as JSON"
	// It may be a token, so it is not shown.
	case !isFile(value) && !secret.Looks(value) && !namesFile(value):
		return nil, "", fmt.Errorf("found a value of %d characters that names no file here; %s", len(value), expected)
	case secret.Looks(value) && !isFile(value):
		return nil, "", fmt.Errorf("found %s that is no file name and no JSON; %s", secret.Describe(value), expected)
	default:
		if body, err = os.ReadFile(value); err != nil {
			return nil, "", fmt.Errorf("%w; %s", err, expected)
		}
		body, name = []byte(config.Clean(string(body))), value
		if len(body) == 0 || body[0] != '{' {
			return nil, "", fmt.Errorf("the file %s holds %s that is no JSON; expected the JSON of a service account as Google's console downloads it", name, contentOf(body))
		}
	}
	if !json.Valid(body) {
		return nil, "", fmt.Errorf("service account %s: its JSON is damaged, perhaps cut off or with line breaks in the key; download it again or copy it whole", name)
	}
	return body, name, nil
}

// namesFile reports whether a value is meant as the name of a file that does not exist.
func namesFile(value string) bool {
	return strings.HasSuffix(strings.ToLower(value), ".json") || strings.HasPrefix(value, "./") || strings.HasPrefix(value, "../")
}

func isFile(path string) bool {
	stat, err := os.Stat(path)
	return err == nil && stat.Mode().IsRegular()
}

// contentOf describes a file's content without showing it, because even short content may be a
// password.
func contentOf(body []byte) string {
	if text := string(body); secret.Looks(text) {
		return secret.Describe(text)
	}
	return fmt.Sprintf("a value of %d characters", len(body))
}
