package open_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/open"
	"github.com/angel-nft/google-shuffle/internal/sheet"
	"github.com/angel-nft/google-shuffle/internal/test/sheettest"
)

func TestSheetsInAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not there yet")
	s, err := newOpener(t).Sheets(t.Context(), fileURL("file", dir), open.Google{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "my-sheet.csv"), []byte("a,b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Values(t.Context(), "my-sheet", "0"); err != nil || len(v.Rows) != 1 || v.Rows[0][1] != "b" {
		t.Errorf("%+v, %v", v, err)
	}
}

// At another endpoint no credentials are looked for, and none are sent.
func TestSheetsEndpoint(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json"))
	api := sheettest.NewServer()
	api.Set("my-sheet", sheettest.One("Title", []string{"a", "b"}))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if sent := r.Header.Get("Authorization"); sent != "" {
			t.Errorf("sent the credentials %.20q", sent)
		}
		api.ServeHTTP(w, r)
	}))
	defer server.Close()
	s, err := newOpener(t).Sheets(t.Context(), "google://", open.Google{Endpoint: server.URL, CredentialsFile: "none.json"})
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Values(t.Context(), "my-sheet", "")
	if err != nil || v.Title != "Title" || len(v.Rows) != 1 || v.Rows[0][1] != "b" {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := s.Values(t.Context(), "other", ""); !errors.Is(err, sheet.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// serviceAccount writes the JSON file of a service account whose tokens come from tokenURI.
func serviceAccount(t *testing.T, tokenURI string) (path string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "shuffle", "private_key_id": "1",
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": "shuffle@example.iam.gserviceaccount.com", "client_id": "1", "token_uri": tokenURI,
	})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A service account's file is read when the sheets are opened. That its token is refused shows at
// the first read.
func TestServiceAccount(t *testing.T) {
	asked := make(chan struct{}, 16)
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_client","error_description":"The account was deleted."}`))
	}))
	defer tokens.Close()
	s, err := newOpener(t).Sheets(t.Context(), "google://", open.Google{CredentialsFile: serviceAccount(t, tokens.URL)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Values(t.Context(), "my-sheet", ""); err == nil || !strings.Contains(err.Error(), "my-sheet") {
		t.Errorf("%v", err)
	}
	select {
	case <-asked:
	default:
		t.Error("no token was asked for")
	}
}

func TestBadCredentials(t *testing.T) {
	dir := t.TempDir()
	write := func(name, body string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tc := range []struct{ name, file, want string }{
		{"no such file", filepath.Join(dir, "none.json"), "none.json"},
		{"no JSON", write("text.json", "hello"), "text.json"},
		{"no service account", write("user.json", `{"type":"authorized_user","client_id":"1","client_secret":"2","refresh_token":"3"}`), "client_email"},
		{"no type", write("typeless.json", `{"client_email":"shuffle@example.iam.gserviceaccount.com"}`), "typeless.json"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := newOpener(t).Sheets(t.Context(), "google://", open.Google{CredentialsFile: tc.file})
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "GOOGLE_DRIVE_CREDENTIALS_FILE") {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("Google's default", func(t *testing.T) {
		t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(dir, "none.json"))
		_, err := newOpener(t).Sheets(t.Context(), "google://", open.Google{})
		if err == nil || !strings.Contains(err.Error(), "GOOGLE_DRIVE_CREDENTIALS_FILE") {
			t.Errorf("%v", err)
		}
	})
}
