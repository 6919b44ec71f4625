package gsheet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/api/option"

	"github.com/angel-nft/google-shuffle/internal/gsheet"
	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// TestKinds: each answer of Google gives the right advice, and is not retried.
func TestKinds(t *testing.T) {
	fault := func(code int, status, reason, message string) reply {
		return reply{code, fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":%q,"details":[{"reason":%q,"domain":"googleapis.com"}]}}`, code, message, status, reason), nil}
	}
	for _, test := range []struct {
		name  string
		reply reply
		kind  error
		says  string
	}{
		{"an Office file", fault(400, "FAILED_PRECONDITION", "", "This operation is not supported for this document"), sheet.ErrOfficeFile, "File, Save as Google Sheets"},
		{"an Office file, by its words alone", fault(400, "INVALID_ARGUMENT", "", "This operation is not supported for this document"), sheet.ErrOfficeFile, "Save as Google Sheets"},
		{"the API is off", fault(403, "PERMISSION_DENIED", "SERVICE_DISABLED", "Google Sheets API has not been used in project 42 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/sheets.googleapis.com/overview?project=42 then retry."),
			sheet.ErrAPIDisabled, "overview?project=42"},
		{"the scope is missing", fault(403, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "Request had insufficient authentication scopes."), sheet.ErrScope, "auth/spreadsheets.readonly"},
		{"no permission", fault(403, "PERMISSION_DENIED", "", "The caller does not have permission"), sheet.ErrPermission, "The caller does not have permission"},
		{"not authenticated", fault(401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED", "Request had invalid authentication credentials."), sheet.ErrCredentials, "GOOGLE_DRIVE_CREDENTIALS_FILE"},
		{"another 400", fault(400, "INVALID_ARGUMENT", "", "Unable to parse range: x"), nil, `Google answers 400, "Unable to parse range: x"`},
		{"a page with 403", reply{403, "<html>", nil}, sheet.ErrAnswer, "found the status 403 Forbidden"},
		{"nothing with 403", reply{403, "", nil}, sheet.ErrAnswer, "found the status 403 Forbidden"},
		{"other JSON with 403", reply{403, `{"message":"blocked"}`, nil}, sheet.ErrAnswer, "found the status 403 Forbidden"},
		{"null with 403", reply{403, `{"error":null}`, nil}, sheet.ErrAnswer, "found the status 403 Forbidden"},
		{"a list with 403", reply{403, `[{"error":{"code":403,"message":"The caller does not have permission"}}]`, nil}, sheet.ErrPermission, "The caller does not have permission"},
		{"a page with 404", reply{404, "<html>", nil}, sheet.ErrAnswer, "found the status 404 Not Found"},
		{"a page with 401", reply{401, "<html>", nil}, sheet.ErrAnswer, "found the status 401 Unauthorized"},
		{"a page with 400", reply{400, "<html>", nil}, sheet.ErrAnswer, "found the status 400 Bad Request"},
		{"a redirect", reply{302, "<html>", nil}, sheet.ErrAnswer, "found the status 302 Found"},
		{"the proxy wants a login", reply{407, "<html>", nil}, sheet.ErrAnswer, "found the status 407 Proxy Authentication Required"},
		{"too large", reply{413, "<html>", nil}, sheet.ErrAnswer, "found the status 413 Request Entity Too Large"},
		{"the proxy refuses to connect", reply{err: errors.New("Proxy Authentication Required")}, sheet.ErrAnswer, "the proxy refuses to connect: 407 Proxy Authentication Required"},
		{"no billing", fault(403, "PERMISSION_DENIED", "BILLING_DISABLED", "This API method requires billing to be enabled. Please enable billing on project #42."), nil, "has no billing"},
		{"no billing, by its words alone", fault(403, "PERMISSION_DENIED", "", "The billing account for the owning project is disabled in state absent"), nil, "has no billing"},
		{"another project", fault(403, "PERMISSION_DENIED", "USER_PROJECT_DENIED", "Caller does not have required permission to use project p."), nil, "roles/serviceusage.serviceUsageConsumer"},
		{"another project, by its words alone", fault(403, "PERMISSION_DENIED", "", "Caller does not have required permission to use project p."), nil, "roles/serviceusage.serviceUsageConsumer"},
		{"a suspended project", fault(403, "PERMISSION_DENIED", "CONSUMER_SUSPENDED", "Consumer has been suspended."), nil, `"Consumer has been suspended." ("CONSUMER_SUSPENDED")`},
		{"an API key", fault(400, "INVALID_ARGUMENT", "API_KEY_INVALID", "API key not valid. Please pass a valid API key."), sheet.ErrCredentials, "API key not valid"},
		{"an API key, by its words alone", fault(400, "INVALID_ARGUMENT", "", "API key not valid. Please pass a valid API key."), sheet.ErrCredentials, "API key not valid"},
		{"an API key for other services", fault(403, "PERMISSION_DENIED", "API_KEY_SERVICE_BLOCKED", "Requests to this API are blocked."), sheet.ErrCredentials, "are blocked"},
		{"no account", fault(403, "PERMISSION_DENIED", "", "Method doesn't allow unregistered callers (callers without established identity)."), sheet.ErrCredentials, "unregistered callers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := over(t, &script{replies: []reply{test.reply}}).Values(t.Context(), "ID", "")
				if err == nil || test.kind != nil && !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) || time.Since(start) > 0 {
					t.Errorf("after %s: %v, want %v with %q", time.Since(start), err, test.kind, test.says)
				}
				for _, other := range []error{sheet.ErrUnavailable, sheet.ErrPermission, sheet.ErrNotFound, sheet.ErrAPIDisabled, sheet.ErrScope, sheet.ErrCredentials, sheet.ErrOfficeFile, sheet.ErrAnswer} {
					if !errors.Is(test.kind, other) && errors.Is(err, other) {
						t.Errorf("it is %v too", other)
					}
				}
			})
		})
	}
}

// TestTokenRefused: a page in place of a token is not the fault of the credentials.
func TestTokenRefused(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		kind   error
	}{
		"Google":                  {400, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`, sheet.ErrCredentials},
		"a firewall":              {403, "<html>blocked", sheet.ErrAnswer},
		"a proxy wants a login":   {407, "<html>log in", sheet.ErrAnswer},
		"a redirect to nowhere":   {302, "<html>", sheet.ErrAnswer},
		"a request that is large": {413, "", sheet.ErrAnswer},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
		}))
		file, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "a@b.test", "private_key": testKey(t), "token_uri": server.URL})
		if err != nil {
			t.Fatal(err)
		}
		_, err = open(t, option.WithAuthCredentialsJSON(option.ServiceAccount, file), option.WithEndpoint("http://sheets.test")).Values(t.Context(), "ID", "")
		server.Close()
		if !errors.Is(err, test.kind) || strings.Contains(err.Error(), "<html>") {
			t.Errorf("%s: %v, want %v", name, err, test.kind)
		}
	}
}

// TestRedirects: a server that redirects for ever is given up at once.
func TestRedirects(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }))
	defer server.Close()
	if _, err := open(t, option.WithEndpoint(server.URL), option.WithoutAuthentication()).Values(t.Context(), "ID", ""); !errors.Is(err, sheet.ErrAnswer) {
		t.Errorf("%v, want sheet.ErrAnswer", err)
	}
}

// TestDamagedKey: a private key that cannot be read fails at once, without a word of it in the
// message.
func TestDamagedKey(t *testing.T) {
	key := testKey(t)
	for name, damaged := range map[string]string{
		"cut off": key[:len(key)/2], "not base64": strings.Replace(key, "M", "!", 3), "empty": "", "of another kind": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0LXNlY3JldA==\n-----END PRIVATE KEY-----\n",
	} {
		file, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "a@b.test", "private_key": damaged, "token_uri": "http://127.0.0.1:1"})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		s, err := gsheet.New(t.Context(), option.WithAuthCredentialsJSON(option.ServiceAccount, file))
		if err == nil {
			_, err = s.Values(t.Context(), "ID", "")
		}
		if err == nil || errors.Is(err, sheet.ErrUnavailable) || !errors.Is(err, sheet.ErrCredentials) || time.Since(start) > 10*time.Second {
			t.Errorf("%s: after %s: %v", name, time.Since(start), err)
		}
		if strings.Contains(fmt.Sprint(err), "c2VjcmV0") {
			t.Errorf("%s: the key is in %v", name, err)
		}
	}
}

// TestNoConnection: a server that is not there is given up within seconds, and its address is
// named; so is the server that gives the tokens.
func TestNoConnection(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	file, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "a@b.test", "private_key": testKey(t), "token_uri": closed.URL})
	if err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string][]option.ClientOption{
		"the API":    {option.WithEndpoint(closed.URL), option.WithoutAuthentication()},
		"the tokens": {option.WithAuthCredentialsJSON(option.ServiceAccount, file), option.WithEndpoint("http://sheets.test")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			_, err := open(t, opts...).Values(t.Context(), "ID", "")
			if !errors.Is(err, sheet.ErrNoConnection) || !errors.Is(err, sheet.ErrUnavailable) || !strings.Contains(err.Error(), closed.URL+": ") || time.Since(start) > 10*time.Second {
				t.Errorf("after %s: %v", time.Since(start), err)
			}
		})
	}
}

// TestNotHTTP: a server of something else is named as such.
func TestNotHTTP(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(plain.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, endpoint := range []string{"https://127.0.0.1:" + port, secure.URL} {
		_, err := open(t, option.WithEndpoint(endpoint), option.WithoutAuthentication()).Values(t.Context(), "ID", "")
		if !errors.Is(err, sheet.ErrAnswer) || !strings.Contains(err.Error(), "--sheets-endpoint") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}
