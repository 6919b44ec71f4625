package open

import (
	"context"
	"fmt"
	"os"
	"strings"

	"google.golang.org/api/option"

	"github.com/angel-nft/google-shuffle/internal/filesheet"
	"github.com/angel-nft/google-shuffle/internal/gsheet"
)

// Google is how the Sheets API is reached.
type Google struct {
	Endpoint        string // another base URL; then without credentials
	CredentialsFile string // of a service account, or its JSON itself; "" is Google's application default credentials
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

// credentials is the service account's JSON, and how a message may call it. A container has no file for a secret: ECS puts
// its value in the variable.
func (g Google) credentials() (body []byte, name string, err error) {
	if strings.HasPrefix(strings.TrimSpace(g.CredentialsFile), "{") {
		return []byte(g.CredentialsFile), "given as JSON", nil
	}
	body, err = os.ReadFile(g.CredentialsFile)
	return body, g.CredentialsFile, err
}
