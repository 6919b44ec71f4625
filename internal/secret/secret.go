// Package secret removes passwords and keys from the program's output. Messages of this program do
// not quote them, but messages of its libraries sometimes quote a whole setting.
package secret

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// longestPath is longer than any sensible path of a credentials file.
const longestPath = 200

var (
	// base64Text matches long text of one of base64's two alphabets. Slashes together with - or _,
	// or at the beginning, mean a path.
	base64Text = regexp.MustCompile(`^(?:[A-Za-z0-9+][A-Za-z0-9+/]{39,}|[A-Za-z0-9_-]{40,})={0,2}$`)
	// credentialsOfURL matches the user and password in a URL, also without a scheme.
	credentialsOfURL = regexp.MustCompile(`(://|^["']?)([^/?#\s"'@]+)@`)
	// credentialsOfQuery matches secret values in a URL's query.
	credentialsOfQuery = regexp.MustCompile(`(?i)[?&][\w.-]*(?:key|token|secret|password|passwd|signature|sig|credential|auth)[\w.-]*=([^&#\s"']+)`)
)

// Looks reports whether a value looks like a secret: it is or contains a key, JSON or base64, or it
// is too long for a path.
func Looks(value string) bool {
	return utf8.RuneCountInString(value) > longestPath || strings.ContainsAny(value, "{}\n\r\x00") ||
		strings.Contains(value, "PRIVATE KEY") || isBase64(value)
}

// isBase64 guesses. Long random text has capitals, small letters and digits. Names of folders
// seldom have all three.
func isBase64(value string) bool {
	const capitals, small, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"
	return base64Text.MatchString(value) &&
		strings.ContainsAny(value, capitals) && strings.ContainsAny(value, small) && strings.ContainsAny(value, digits)
}

// Describe returns a value in the form that a message may show. It returns a description when the
// value looks like a secret.
func Describe(value string) string {
	if !Looks(value) {
		return strconv.Quote(HideURL(value))
	}
	kind := ""
	switch {
	case strings.Contains(value, "PRIVATE KEY"):
		kind = ", with a private key in it"
	case isBase64(strings.Join(strings.Fields(value), "")):
		kind = ", probably base64"
	}
	return fmt.Sprintf("a value of %s characters%s", thousands(utf8.RuneCountInString(value)), kind)
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

const mask = "***"

// HideURL masks user, password and the secret parts of the query in every URL of a text.
func HideURL(text string) string {
	text = credentialsOfURL.ReplaceAllString(text, "${1}"+mask+"@")
	return credentialsOfQuery.ReplaceAllStringFunc(text, func(part string) string {
		name, _, _ := strings.Cut(part, "=")
		return name + "=" + mask
	})
}

// secretName matches a variable whose whole value is secret. Of other variables, only the parts
// that look secret are.
var secretName = regexp.MustCompile(`^(?:SHUFFLE|AWS|GOOGLE)_(?:.*_)?(?:SECRET|SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN|AUTHORIZATION_TOKEN|PASSWORD|PRIVATE_KEY|API_KEY)$`)

// readName matches a variable that this program or one of its libraries reads and may print.
var readName = regexp.MustCompile(`^(?:SHUFFLE|AWS|GOOGLE)_|(?i:^https?_proxy$|^all_proxy$)`)

// leastBytes is the least length of a masked value. LocalStack's secret is "test", which is also
// the name of a dataset.
const leastBytes = 8

// Find returns the secret texts in the variables (NAME=VALUE) and in the command line's arguments.
func Find(environ, args []string) (secrets []string) {
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		switch {
		case secretName.MatchString(name):
			secrets = append(secrets, value)
		case readName.MatchString(name):
			secrets = append(secrets, parts(value)...)
		}
	}
	for _, arg := range args {
		_, value, _ := strings.Cut(arg, "=") // of --flag=value
		secrets = append(append(secrets, parts(arg)...), parts(value)...)
	}
	return secrets
}

// pieces returns the parts of a key that every quoted form of it contains.
var pieces = regexp.MustCompile(`[A-Za-z0-9+/_=-]{16,}`)

// parts returns the secrets in a setting.
func parts(value string) (secrets []string) {
	for _, m := range credentialsOfURL.FindAllStringSubmatch(value, -1) {
		_, password, both := strings.Cut(m[2], ":")
		switch {
		case !both && m[1] != "://":
			continue // someone's address
		case !both:
			password = m[2]
		}
		secrets = append(secrets, m[2], password)
	}
	for _, m := range credentialsOfQuery.FindAllStringSubmatch(value, -1) {
		secrets = append(secrets, m[1])
	}
	if !Looks(value) {
		return secrets
	}
	if fields, ok := secretFields(value); ok {
		value = strings.Join(fields, "\n")
	}
	return append(secrets, pieces.FindAllString(value, -1)...)
}

// secretFields are the secret fields of a service account's JSON. Its address is not secret, and
// messages show it.
func secretFields(value string) (secrets []string, ok bool) {
	var fields map[string]any
	if json.Unmarshal([]byte(value), &fields) != nil {
		return nil, false
	}
	for name, field := range fields {
		text, isText := field.(string)
		if isText && regexp.MustCompile(`^private_key|secret|password|_token$`).MatchString(name) {
			secrets = append(secrets, text)
		}
	}
	return secrets, true
}

// Hider masks known secrets in all output of its writers.
type Hider struct {
	replacer atomic.Pointer[strings.Replacer]
}

// Hide adds secrets, in all spellings that messages use.
func (h *Hider) Hide(secrets []string) {
	var spellings []string
	for _, s := range secrets {
		quoted := strconv.Quote(s)
		spellings = append(spellings, s, quoted[1:len(quoted)-1], url.QueryEscape(s), url.PathEscape(s))
		if plain, err := url.PathUnescape(s); err == nil {
			spellings = append(spellings, plain)
		}
	}
	// The longest first, because one may be the beginning of another.
	slices.SortFunc(spellings, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range spellings {
		if len(s) >= leastBytes {
			pairs = append(pairs, s, mask)
		}
	}
	if len(pairs) > 0 {
		h.replacer.Store(strings.NewReplacer(pairs...))
	}
}

// Writer returns a masking writer to w. It masks a secret only when one Write has all of it, as
// with a message or a line of a log.
func (h *Hider) Writer(w io.Writer) *Writer { return &Writer{w, h} }

// Writer is a masking writer of a Hider.
type Writer struct {
	to    io.Writer
	hider *Hider
}

// Over returns a writer to another place with the same masks.
func (w *Writer) Over(to io.Writer) *Writer { return w.hider.Writer(to) }

func (w *Writer) Write(b []byte) (int, error) {
	r := w.hider.replacer.Load()
	if r == nil {
		return w.to.Write(b)
	}
	if _, err := io.WriteString(w.to, r.Replace(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Unwrap returns the destination of a Writer of this package, such as a terminal. It returns any
// other writer unchanged.
func Unwrap(w io.Writer) io.Writer {
	if hiding, ok := w.(*Writer); ok {
		return hiding.to
	}
	return w
}
