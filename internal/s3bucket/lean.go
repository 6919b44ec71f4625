package s3bucket

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The names of the SDK's steps that read an answer: the second looks whether one with status 200 is an error, for which it decodes
// the XML by itself.
const (
	deserializer = "OperationDeserializer"
	check200     = "S3:ProcessResponseFor200Error"
)

// lean is an SDK client's option (APIOptions) that reads an answer with status 200 by read. The SDK
// reads XML token by token, which takes longer than all else of a listing. An answer that read does
// not know to the last byte, an error for one, goes the SDK's way, if its root is the expected one:
// the SDK does not look at that, and takes any other XML, or none, for an answer without content.
func lean(root string, read func(body []byte) (result any, ok bool)) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) (err error) {
		d := &leanDeserializer{root: root, read: read}
		if d.sdk, err = stack.Deserialize.Swap(deserializer, d); err != nil {
			return fmt.Errorf("read answers: %w", err)
		}
		if d.check, err = stack.Deserialize.Remove(check200); err != nil {
			return fmt.Errorf("read answers: %w", err)
		}
		return nil
	}
}

type leanDeserializer struct {
	root       string
	read       func([]byte) (any, bool)
	sdk, check middleware.DeserializeMiddleware
}

func (d *leanDeserializer) ID() string { return deserializer }

func (d *leanDeserializer) HandleDeserialize(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
	out, metadata, err = next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.StatusCode < 200 || response.StatusCode > 299 {
		return d.asSDK(ctx, in, out, metadata, err)
	}
	body, err := readBody(response)
	if err != nil {
		return out, metadata, &smithy.DeserializationError{Err: fmt.Errorf("read answer: %w", err)}
	}
	if result, ok := d.read(body); ok && response.StatusCode == http.StatusOK {
		out.Result = result
		return out, metadata, nil
	}
	if err := checkRoot(body, d.root); err != nil {
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return d.asSDK(ctx, in, out, metadata, nil)
}

// answerError says that an answer is not of the kind that was asked for.
type answerError struct{ text string }

func (e *answerError) Error() string { return e.text }

// notS3 is an answer that S3 does not give.
func notS3(format string, args ...any) *answerError {
	return &answerError{fmt.Sprintf(format, args...) + ": this is not how S3 answers; check the endpoint, and whether a proxy is between"}
}

// checkRoot looks at the outermost element of an answer. S3 also sends an Error with status 200. An
// answer without a body counts as one that broke off.
func checkRoot(body []byte, root string) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return fmt.Errorf("the answer is empty: %w", io.ErrUnexpectedEOF)
	}
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if start, ok := token.(xml.StartElement); ok {
			if start.Name.Local == root || start.Name.Local == "Error" {
				return nil
			}
			return notS3("the answer is <%.40s>, expected <%s>", start.Name.Local, root)
		}
		if err != nil {
			return notS3("the answer begins with %.60q, expected <%s>", body, root)
		}
	}
}

// asSDK gives the answer to the SDK's own steps.
func (d *leanDeserializer) asSDK(
	ctx context.Context, in middleware.DeserializeInput, out middleware.DeserializeOutput, metadata middleware.Metadata, err error,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	answered := func(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
		return out, metadata, err
	}
	checked := func(ctx context.Context, in middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
		return d.check.HandleDeserialize(ctx, in, middleware.DeserializeHandlerFunc(answered))
	}
	return d.sdk.HandleDeserialize(ctx, in, middleware.DeserializeHandlerFunc(checked))
}

// readBody reads the body and closes it, so that its connection serves the next request.
func readBody(response *smithyhttp.Response) ([]byte, error) {
	defer response.Body.Close() //nolint:errcheck // It was only read.
	var body bytes.Buffer
	body.Grow(int(max(response.ContentLength, 0)) + bytes.MinRead) // ReadFrom looks for the end with some room left
	_, err := body.ReadFrom(response.Body)
	return body.Bytes(), err
}
