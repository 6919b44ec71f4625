package s3bucket

import (
	"bytes"
	"strconv"
)

// xmlScanner reads the XML of S3's answers: elements that contain either text or elements. It sets
// bad at anything else: comments, sections, attributes other than namespaces, text beside elements,
// or text that is not ASCII.
type xmlScanner struct {
	rest []byte
	bad  bool
	// empty means that the last element that open found is self-closing.
	empty bool
}

// start reads the declaration, if there is one, and the root's start tag.
func (s *xmlScanner) start(root string) {
	s.rest = bytes.TrimPrefix(s.rest, []byte(`<?xml version="1.0" encoding="UTF-8"?>`))
	name, ok := s.open()
	s.bad = s.bad || !ok || string(name) != root || s.empty
}

// end reads the root's end tag, after which nothing may follow.
func (s *xmlScanner) end(root string) {
	s.close([]byte(root))
	s.skipSpace()
	s.bad = s.bad || len(s.rest) > 0
}

// open reads the next start tag. It returns false when an end tag is next.
func (s *xmlScanner) open() (name []byte, ok bool) {
	s.skipSpace()
	if s.bad || len(s.rest) < 2 || s.rest[0] != '<' {
		s.bad = true
		return nil, false
	}
	if s.rest[1] == '/' {
		return nil, false
	}
	tag, rest, found := bytes.Cut(s.rest[1:], []byte(">"))
	if !found || len(tag) == 0 || tag[0] == '!' || tag[0] == '?' {
		s.bad = true
		return nil, false
	}
	s.rest = rest
	tag, s.empty = bytes.CutSuffix(tag, []byte("/"))
	name, attribute, has := bytes.Cut(tag, []byte(" "))
	s.bad = !isName(name) || has && !isNamespace(attribute)
	return name, !s.bad
}

func isName(name []byte) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(name) > 0 && name[0] > '9'
}

// isNamespace reports whether a namespace is the only attribute. S3 uses no other attributes.
func isNamespace(attribute []byte) bool {
	uri, begins := bytes.CutPrefix(attribute, []byte(`xmlns="`))
	uri, ends := bytes.CutSuffix(uri, []byte(`"`))
	return begins && ends && isPlainText(uri) && bytes.IndexByte(uri, '"') < 0
}

// isPlainText reports whether a text needs no decoding: it is ASCII without control characters and
// without XML's special characters.
func isPlainText(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' || c == '&' || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

// close reads the end tag of an element that contains elements.
func (s *xmlScanner) close(name []byte) {
	s.skipSpace()
	s.endTag(name)
}

func (s *xmlScanner) endTag(name []byte) {
	n := len(name) + len("</>")
	if s.bad || len(s.rest) < n || s.rest[0] != '<' || s.rest[1] != '/' || s.rest[n-1] != '>' || !bytes.Equal(s.rest[2:n-1], name) {
		s.bad = true
		return
	}
	s.rest = s.rest[n:]
}

// text reads the text of the element that open found, and its end tag. It does not resolve
// references, see appendText.
func (s *xmlScanner) text(name []byte) []byte {
	if s.bad || s.empty {
		return nil
	}
	n := bytes.IndexByte(s.rest, '<')
	if n < 0 {
		s.bad = true
		return nil
	}
	text := s.rest[:n]
	s.rest = s.rest[n:]
	s.endTag(name)
	return text
}

// skip skips the element that open found.
func (s *xmlScanner) skip(name []byte) {
	if s.bad || s.empty {
		return
	}
	if n := bytes.IndexByte(s.rest, '<'); n >= 0 && n+1 < len(s.rest) && s.rest[n+1] == '/' {
		s.bad = !isPlainText(s.text(name)) || s.bad
		return
	}
	for {
		inner, ok := s.open()
		if !ok {
			s.close(name)
			return
		}
		s.skip(inner)
	}
}

func (s *xmlScanner) skipSpace() {
	for len(s.rest) > 0 && (s.rest[0] == '\n' || s.rest[0] == ' ' || s.rest[0] == '\t') {
		s.rest = s.rest[1:]
	}
}

// appendText resolves the references of a text.
func (s *xmlScanner) appendText(to, text []byte) []byte {
	if isPlainText(text) {
		return append(to, text...) // the usual case, because listings use encoding-type=url
	}
	for {
		before, after, found := bytes.Cut(text, []byte("&"))
		s.bad = s.bad || !isPlainText(before)
		to = append(to, before...)
		if !found {
			return to
		}
		name, rest, ends := bytes.Cut(after, []byte(";"))
		s.bad = s.bad || !ends
		to = s.appendReference(to, string(name))
		text = rest
	}
}

func (s *xmlScanner) appendReference(to []byte, name string) []byte {
	switch name {
	case "quot":
		return append(to, '"')
	case "amp":
		return append(to, '&')
	case "lt":
		return append(to, '<')
	case "gt":
		return append(to, '>')
	case "apos":
		return append(to, '\'')
	}
	s.bad = true // a numeric reference, which is rare
	return to
}

// number parses a text of digits.
func (s *xmlScanner) number(text []byte) int64 {
	n, err := strconv.ParseInt(string(text), 10, 64)
	s.bad = s.bad || err != nil
	return n
}

// bool parses true or false.
func (s *xmlScanner) bool(text []byte) bool {
	is := string(text) == "true"
	s.bad = s.bad || !is && string(text) != "false"
	return is
}
