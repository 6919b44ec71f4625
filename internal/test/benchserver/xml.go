package benchserver

import (
	"encoding/xml"
	"net/url"
	"strings"
)

const (
	xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	xmlSpace  = "http://s3.amazonaws.com/doc/2006-03-01/"
	xmlTime   = "2006-01-02T15:04:05.000Z"
)

func appendElement(body []byte, name, text string) []byte {
	return append(body, "<"+name+">"+escapeXML(text)+"</"+name+">"...)
}

// appendError appends the body of a refusal, or, with a key, the error for one key of a
// DeleteObjects.
func appendError(body []byte, no *refusal, key string) []byte {
	body = append(body, "<Error>"...)
	if key != "" {
		body = appendElement(body, "Key", key)
	}
	body = appendElement(appendElement(body, "Code", no.code), "Message", no.message)
	return append(body, "</Error>"...)
}

// escapeXML escapes the text for XML. Most texts need no escape.
func escapeXML(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}

// escapeURL escapes the text as a listing with encoding-type=url does.
func escapeURL(s string) string {
	if isPlain(s) {
		return s
	}
	return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/")
}

func isPlain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' && c != '/' {
			return false
		}
	}
	return true
}
