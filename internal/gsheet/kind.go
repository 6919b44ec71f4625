package gsheet

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"cloud.google.com/go/auth"
	"google.golang.org/api/googleapi"

	"github.com/angel-nft/google-shuffle/internal/sheet"
)

// kindOf returns the error of package sheet for an error, or nil when none fits. Only
// ErrUnavailable and ErrNoConnection are retried.
//
//	answer                                                   | kind
//	---------------------------------------------------------+----------------------------------
//	429, 408, 5xx but 501; 403 for the quota                 | ErrUnavailable
//	404                                                      | ErrNotFound
//	4xx whose body is not the JSON of Google's errors        | ErrAnswer
//	3xx, 407, 413, 501, a refusal of the proxy to connect    | ErrAnswer
//	401; no token for the credentials; a damaged private key | ErrCredentials
//	400, 403: the API key is not valid, or there is none     | ErrCredentials
//	403: the API is not enabled                              | ErrAPIDisabled
//	403: the token lacks the scope                           | ErrScope
//	403 with another reason, such as the billing             | nil
//	403 without a reason                                     | ErrPermission
//	400: not supported for this document                     | ErrOfficeFile
//	400 otherwise, and other statuses                        | nil
//	what is no JSON, or not the JSON that was asked for      | ErrAnswer
//	a certificate that is not trusted; no TLS at all         | ErrAnswer
//	the server is not found, or refuses to connect           | ErrNoConnection
//	a connection or an answer that breaks off, a timeout     | ErrUnavailable
func kindOf(err error) error {
	for _, kind := range []error{sheet.ErrAnswer, sheet.ErrWorksheetNotFound} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		return kindOfStatus(answer)
	}
	var token *auth.Error
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var dial *net.OpError
	var lookup *net.DNSError
	switch {
	case errors.As(err, &token) && isForeign(token):
		return sheet.ErrAnswer
	case errors.As(err, &token) && isRefused(token), strings.Contains(err.Error(), "private key"):
		return sheet.ErrCredentials
	case proxyRefusal(err) != "", strings.Contains(err.Error(), "stopped after 10 redirects"):
		return sheet.ErrAnswer
	case errors.As(err, &syntax) && !breaksOff(err), errors.As(err, &mismatch), errors.As(err, &certificate), errors.As(err, &record),
		errors.Is(err, http.ErrSchemeMismatch):
		return sheet.ErrAnswer
	case errors.As(err, &lookup), errors.As(err, &dial) && dial.Op == "dial":
		return sheet.ErrNoConnection
	}
	return sheet.ErrUnavailable
}

// isRefused reports whether Google permanently refuses a token for the credentials.
func isRefused(token *auth.Error) bool {
	if token.Response == nil {
		return false
	}
	code := token.Response.StatusCode
	return code >= 400 && code < 500 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout
}

// isForeign reports whether a server other than Google's, such as a proxy, refuses the request for
// a token. Google's own refusals are always JSON.
func isForeign(token *auth.Error) bool {
	if token.Response == nil {
		return false
	}
	code := token.Response.StatusCode
	return isBetween(code) || isRefused(token) && !isErrorJSON(token.Body)
}

// isBetween reports whether a status comes from a server between this program and Google,
// independent of the body.
func isBetween(code int) bool {
	return code >= 300 && code < 400 || code == http.StatusProxyAuthRequired || code == http.StatusRequestEntityTooLarge
}

// isErrorJSON reports whether a body is Google's JSON of an error, or a list of it.
func isErrorJSON(body []byte) bool {
	type reply struct {
		Error json.RawMessage `json:"error"`
	}
	var one reply
	var list []reply
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		one = list[0]
	} else if json.Unmarshal(body, &one) != nil {
		return false
	}
	return len(one.Error) > 0 && string(one.Error) != "null"
}

// proxyRefusal returns the status text with which a proxy refuses to connect, or "" for every other
// error. Package net/http returns only the text.
func proxyRefusal(err error) string {
	var request *url.Error
	if !errors.As(err, &request) {
		return ""
	}
	for code := 400; code < 500; code++ {
		text := http.StatusText(code)
		if text != "" && request.Err.Error() == text && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout {
			return fmt.Sprintf("%d %s", code, text)
		}
	}
	return ""
}

// breaksOff reports whether an answer ends in the middle.
func breaksOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "unexpected end of JSON input")
}

func kindOfStatus(answer *googleapi.Error) error {
	said := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(answer.Body, part) || strings.Contains(answer.Message, part) {
				return true
			}
		}
		return false
	}
	switch {
	case isQuota(answer), answer.Code == http.StatusRequestTimeout:
		return sheet.ErrUnavailable
	case answer.Code == http.StatusNotImplemented, isBetween(answer.Code):
		return sheet.ErrAnswer
	case answer.Code >= 500:
		return sheet.ErrUnavailable
	case !isErrorJSON([]byte(answer.Body)):
		return sheet.ErrAnswer
	case answer.Code == http.StatusNotFound:
		return sheet.ErrNotFound
	case answer.Code == http.StatusUnauthorized:
		return sheet.ErrCredentials
	case said("API_KEY_", "API key not valid", "API key expired", "unregistered callers"):
		return sheet.ErrCredentials
	case answer.Code == http.StatusForbidden && said("SERVICE_DISABLED", "accessNotConfigured", "it is disabled"):
		return sheet.ErrAPIDisabled
	case answer.Code == http.StatusForbidden && said("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions", "insufficient authentication scopes"):
		return sheet.ErrScope
	case projectAdvice(answer) != "", answer.Code == http.StatusForbidden && reasonOf(answer) != "":
		return nil // the project of the credentials is refused, not the spreadsheet
	case answer.Code == http.StatusForbidden:
		return sheet.ErrPermission
	case answer.Code == http.StatusBadRequest && said("FAILED_PRECONDITION", "not supported for this document"):
		return sheet.ErrOfficeFile
	}
	return nil
}

// reasonOf returns the reason in an error's google.rpc.ErrorInfo, or "" if there is none. Google
// gives none when an account may not read a spreadsheet.
func reasonOf(answer *googleapi.Error) string {
	var body struct {
		Error struct {
			Details []struct {
				Reason string `json:"reason"`
			} `json:"details"`
		} `json:"error"`
	}
	if json.Unmarshal([]byte(answer.Body), &body) != nil {
		return ""
	}
	for _, detail := range body.Error.Details {
		if detail.Reason != "" {
			return detail.Reason
		}
	}
	return ""
}

// projectAdvice returns what to do when Google refuses the project that the request is billed to,
// or "" for other errors.
func projectAdvice(answer *googleapi.Error) string {
	reason := reasonOf(answer)
	switch {
	case answer.Code != http.StatusForbidden && answer.Code != http.StatusBadRequest:
		return ""
	case strings.Contains(reason, "BILLING"), strings.Contains(strings.ToLower(answer.Message), "billing"):
		return "the project of the credentials has no billing: enable it in the Google Cloud console"
	case reason == "USER_PROJECT_DENIED", strings.Contains(answer.Message, "permission to use project"):
		return "the account may not use the project that the request is billed to: grant it roles/serviceusage.serviceUsageConsumer there, " +
			"or name another quota project (GOOGLE_CLOUD_QUOTA_PROJECT)"
	}
	return ""
}

// isQuota reports whether the quota is used up. Google answers 429, and in some cases 403 with a
// reason.
func isQuota(answer *googleapi.Error) bool {
	if answer.Code != http.StatusForbidden {
		return answer.Code == http.StatusTooManyRequests
	}
	for _, reason := range []string{"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"} {
		if strings.Contains(answer.Body, `"`+reason+`"`) {
			return true
		}
	}
	return false
}

// explain adds the kind of an error, a description of the answer, and what to do. It omits the
// answer's body, which may be an HTML page.
func (s *Sheets) explain(err error) error {
	kind, said := kindOf(err), describe(err)
	if errors.Is(err, sheet.ErrUnavailable) {
		said += ", after several tries"
	}
	switch is := func(target error) bool { return errors.Is(kind, target) }; {
	case kind == nil:
		var answer *googleapi.Error
		if errors.As(err, &answer) {
			if advice := projectAdvice(answer); advice != "" {
				said += ": " + advice
			} else if reason := reasonOf(answer); reason != "" {
				said += fmt.Sprintf(" (%.60q)", reason)
			}
		}
		return errors.New(said)
	case is(sheet.ErrWorksheetNotFound):
		return err
	case is(sheet.ErrUnavailable):
		if !errors.Is(err, sheet.ErrUnavailable) {
			return err // there was no time for another try
		}
	case is(sheet.ErrNoConnection):
		return fmt.Errorf("%w: %w: %s", sheet.ErrUnavailable, kind, said)
	case is(sheet.ErrPermission):
		if s.Account != "" {
			return fmt.Errorf("%w as %s: %s", kind, s.Account, said)
		}
	case is(sheet.ErrOfficeFile):
		said += ": open it in Google Sheets, choose File, Save as Google Sheets, and put the address of the new one into the manifest"
	case is(sheet.ErrAPIDisabled):
		said += ": enable it in the project of the credentials"
	case is(sheet.ErrScope):
		said += ": they need https://www.googleapis.com/auth/spreadsheets.readonly"
	case is(sheet.ErrCredentials):
		said += ": check the key of the service account (GOOGLE_DRIVE_CREDENTIALS_FILE), or make a new one"
	case is(sheet.ErrAnswer):
		said += ": check --sheets-endpoint (SHUFFLE_SHEETS_ENDPOINT) and the proxy"
	}
	return fmt.Errorf("%w: %s", kind, said)
}

// describe returns a short description of the answer or the failure.
func describe(err error) string {
	var answer *googleapi.Error
	var token *auth.Error
	switch {
	case errors.As(err, &answer) && isBetween(answer.Code):
		return fmt.Sprintf("found the status %d %s", answer.Code, http.StatusText(answer.Code))
	case errors.As(err, &answer) && answer.Code < 500 && !isErrorJSON([]byte(answer.Body)):
		return fmt.Sprintf("found the status %d %s without the JSON of Google's errors", answer.Code, http.StatusText(answer.Code))
	case errors.As(err, &answer) && answer.Message != "":
		return fmt.Sprintf("Google answers %d, %.300q", answer.Code, answer.Message)
	case errors.As(err, &answer):
		return fmt.Sprintf("Google answers %d %s", answer.Code, http.StatusText(answer.Code))
	case errors.As(err, &token) && isForeign(token):
		return fmt.Sprintf("found the status %d %s for the request for a token", token.Response.StatusCode, http.StatusText(token.Response.StatusCode))
	case errors.As(err, &token) && token.Response != nil:
		return fmt.Sprintf("Google gives no token for them, and answers %d, %.300q", token.Response.StatusCode, token.Body)
	case errors.Is(err, sheet.ErrAnswer):
		return strings.TrimPrefix(err.Error(), sheet.ErrAnswer.Error()+": ")
	case proxyRefusal(err) != "":
		return "the proxy refuses to connect: " + proxyRefusal(err)
	case breaksOff(err):
		return "the answer breaks off"
	}
	// The errors of a request for a token wrap each other. The innermost one has the address of the
	// failed request.
	at := ""
	for request := (*url.Error)(nil); errors.As(err, &request); err = request.Err {
		if u, parseErr := url.Parse(request.URL); parseErr == nil {
			at = u.Scheme + "://" + u.Host + ": "
		}
	}
	return fmt.Sprintf("%s%.300s", at, err)
}
