package direct

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Words of Signature Version 4 (AWS, "Create a signed AWS API request").
const (
	algorithm  = "AWS4-HMAC-SHA256"
	ending     = "aws4_request"
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
)

// unsigned are the headers that no signature covers, as in the SDK: what stands between may change them.
var unsigned = []string{"user-agent", "x-amzn-trace-id", "expect", "transfer-encoding"}

// write writes a request as HTTP/1.1 has it, signed. What the signature covers is, to the byte, what the SDK's covers.
func (c *Client) write(to *bytes.Buffer, m *Model, r *Request, credentials aws.Credentials, now time.Time) {
	now = now.UTC()
	at := now.Format(timeFormat)
	fields := make([]signedField, 0, len(m.fields)+len(r.Fields)+4)
	add := func(name, value string) {
		fields = append(fields, signedField{Field{name, value}, strings.ToLower(name)})
	}
	add("Host", m.host)
	add("X-Amz-Date", at)
	if credentials.SessionToken != "" {
		add("X-Amz-Security-Token", credentials.SessionToken)
	}
	if len(r.Body) > 0 {
		add("Content-Length", strconv.Itoa(len(r.Body)))
	}
	for _, f := range m.fields {
		add(f.Name, f.Value)
	}
	for _, f := range r.Fields {
		add(f.Name, f.Value)
	}
	slices.SortFunc(fields, func(a, b signedField) int { return strings.Compare(a.lower, b.lower) })

	path := m.url.Path + r.Key
	if path == "" {
		path = "/"
	}
	scope := at[:len(dateFormat)] + "/" + m.region + "/" + c.service + "/" + ending
	names, hash := canonical(to, m, path, fields, r.Body)
	key := c.keys.of(credentials, at[:len(dateFormat)], m.region, c.service)
	signature := hmacSHA256(key, algorithm, "\n", at, "\n", scope, "\n", hash)

	to.Reset()
	put(to, m.method, " ", path)
	if m.url.RawQuery != "" {
		put(to, "?", m.url.RawQuery)
	}
	put(to, " HTTP/1.1\r\n")
	for _, f := range fields {
		put(to, f.Name, ": ", f.Value, "\r\n")
	}
	if len(r.Body) == 0 {
		put(to, "Content-Length: 0\r\n")
	}
	put(to, "Authorization: ", algorithm, " Credential=", credentials.AccessKeyID, "/", scope,
		", SignedHeaders=", names, ", Signature=", hex.EncodeToString(signature), "\r\n\r\n")
	to.Write(r.Body)
}

type signedField struct {
	Field
	lower string
}

func put(to *bytes.Buffer, parts ...string) {
	for _, part := range parts {
		to.WriteString(part)
	}
}

// canonical gives the names that the signature covers, and the hash of the canonical request. It writes to scratch.
func canonical(scratch *bytes.Buffer, m *Model, path string, fields []signedField, body []byte) (names, hash string) {
	var list strings.Builder
	put(scratch, m.method, "\n", path, "\n", m.url.RawQuery, "\n")
	payload := ""
	for _, f := range fields {
		if slices.Contains(unsigned, f.lower) {
			continue
		}
		if f.lower == "x-amz-content-sha256" {
			payload = f.Value
		}
		if list.Len() > 0 {
			list.WriteByte(';')
		}
		list.WriteString(f.lower)
		put(scratch, f.lower, ":", oneSpaced(f.Value), "\n")
	}
	if payload == "" {
		sum := sha256.Sum256(body)
		payload = hex.EncodeToString(sum[:])
	}
	names = list.String()
	put(scratch, "\n", names, "\n", payload)
	sum := sha256.Sum256(scratch.Bytes())
	return names, hex.EncodeToString(sum[:])
}

// oneSpaced leaves out spaces around the value, and all but one of several within.
func oneSpaced(value string) string {
	if !strings.Contains(value, "  ") {
		return strings.Trim(value, " ")
	}
	return strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r == ' ' }), " ")
}

func hmacSHA256(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}

// signingKeys keeps the key of the day.
type signingKeys struct {
	mu     sync.Mutex
	secret string
	scope  string
	key    []byte
}

func (k *signingKeys) of(credentials aws.Credentials, date, region, service string) []byte {
	scope := date + "/" + region + "/" + service
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key == nil || k.secret != credentials.SecretAccessKey || k.scope != scope {
		key := hmacSHA256([]byte("AWS4"+credentials.SecretAccessKey), date)
		for _, part := range []string{region, service, ending} {
			key = hmacSHA256(key, part)
		}
		k.secret, k.scope, k.key = credentials.SecretAccessKey, scope, key
	}
	return k.key
}
