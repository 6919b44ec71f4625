package s3bucket

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"

	"github.com/aws/smithy-go"
)

// answerError means that an answer is not of the expected kind.
type answerError struct{ text string }

func (e *answerError) Error() string { return e.text }

// notS3 returns the error for an answer that cannot come from S3.
func notS3(format string, args ...any) *answerError {
	return &answerError{fmt.Sprintf(format, args...) + ": this is not how S3 answers; check the endpoint, and whether a proxy is between"}
}

const errorRoot = "Error"

// decode reads an answer with status 200, which may still contain an error.
func decode(body []byte, root string, into any) error {
	decoder, start, err := openAnswer(body, root)
	if err != nil {
		return err
	}
	if start.Name.Local == errorRoot {
		return decodeError(body)
	}
	return decoder.DecodeElement(into, &start)
}

// openAnswer reads up to the outermost element of an answer: the expected one, or Error. An answer
// without a body counts as broken off.
func openAnswer(body []byte, expected string) (*xml.Decoder, xml.StartElement, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, xml.StartElement{}, fmt.Errorf("the answer is empty: %w", io.ErrUnexpectedEOF)
	}
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if start, ok := token.(xml.StartElement); ok {
			if name := start.Name.Local; name != expected && name != errorRoot {
				return nil, start, notS3("the answer is <%.40s>, expected <%s>", name, expected)
			}
			return decoder, start, nil
		}
		if err != nil {
			return nil, xml.StartElement{}, notS3("the answer begins with %.60q, expected <%s>", body, expected)
		}
	}
}

const copyRoot = "CopyObjectResult"

// decodeCopyResult returns the ETag of an answer to CopyObject, with its quotes. Like
// decodeListing, it uses encoding/xml only for unusual answers.
func decodeCopyResult(body []byte) (etag string, err error) {
	if etag, ok := scanCopyResult(body); ok {
		return etag, nil
	}
	var result struct{ ETag string }
	err = decode(body, copyRoot, &result)
	return result.ETag, err
}

// scanCopyResult reports whether the answer had the form that the scanner reads.
func scanCopyResult(body []byte) (etag string, ok bool) {
	s := xmlScanner{rest: body}
	s.start(copyRoot)
	for {
		name, ok := s.open()
		if !ok {
			break
		}
		if string(name) == "ETag" {
			etag = string(s.appendText(nil, s.text(name)))
			continue
		}
		s.skip(name)
	}
	s.end(copyRoot)
	return etag, !s.bad
}

// decodeError reads S3's error. For an answer without one, as from a proxy, it returns the SDK's
// code for that case.
func decodeError(body []byte) error {
	var e struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
	}
	if err := xml.Unmarshal(body, &e); err != nil || e.Code == "" {
		return &smithy.GenericAPIError{Code: "UnknownError", Message: fmt.Sprintf("the answer begins with %.60q", body)}
	}
	return &smithy.GenericAPIError{Code: e.Code, Message: e.Message}
}
