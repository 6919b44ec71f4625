package queue

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Codes with which SQS refuses a request or an entry. The functions below check a request in the
// same way as SQS, for queues that are not SQS.
const (
	codeEmptyBatch      = "AWS.SimpleQueueService.EmptyBatchRequest"
	codeTooManyEntries  = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
	codeBatchTooLong    = "AWS.SimpleQueueService.BatchRequestTooLong"
	CodeNotInFlight     = "AWS.SimpleQueueService.MessageNotInflight"
	CodeInvalidValue    = "InvalidParameterValue"
	codeInvalidContents = "InvalidMessageContents"
	codeMissing         = "MissingParameter"
	CodeInvalidReceipt  = "ReceiptHandleIsInvalid"
)

// SQS allows at most this many attributes a message.
const maxAttributes = 10

// refusal is the error of a request that was refused as a whole. Like the SDK's errors, it has
// SQS's code.
type refusal struct{ code, message string }

func (r *refusal) Error() string     { return r.code + ": " + r.message }
func (r *refusal) ErrorCode() string { return r.code }

func refuse(code, format string, args ...any) error {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// CheckCount checks the number of entries of a request.
func CheckCount(n int) error {
	switch {
	case n == 0:
		return refuse(codeEmptyBatch, "there are no entries in the request")
	case n > MaxBatch:
		return refuse(codeTooManyEntries, "%d entries; at most %d go into a request", n, MaxBatch)
	}
	return nil
}

// CheckSend checks the size of a SendMessageBatch, in bytes and in entries.
func CheckSend(entries []Entry) error {
	size := 0
	for _, e := range entries {
		size += e.Size()
	}
	if size > MaxBatchBytes {
		return refuse(codeBatchTooLong, "the messages have %d bytes; at most %d go into a request", size, MaxBatchBytes)
	}
	return CheckCount(len(entries))
}

// CheckReceive checks the number of messages that a ReceiveMessage asks for, and how long it waits.
func CheckReceive(limit int, wait time.Duration) error {
	switch {
	case limit < 1 || limit > MaxBatch:
		return refuse(CodeInvalidValue, "%d messages asked for; want 1 to %d", limit, MaxBatch)
	case wait < 0 || wait > MaxWait:
		return refuse(CodeInvalidValue, "wait time %s; want 0s to %s", wait, MaxWait)
	}
	return nil
}

// CheckVisibility checks a visibility timeout.
func CheckVisibility(timeout time.Duration) error {
	if timeout < 0 || timeout > MaxVisibility {
		return refuse(CodeInvalidValue, "visibility timeout %s; want 0s to %s", timeout, MaxVisibility)
	}
	return nil
}

// Fault returns the failure of a refused entry. The code is "" when the entry is accepted.
func Fault(e Entry) (code, message string) {
	if e.Body == "" {
		return codeMissing, "the message has no body"
	}
	if !allowed(e.Body) {
		return codeInvalidContents, "the body has characters that no message may have"
	}
	if len(e.Attributes) > maxAttributes {
		return CodeInvalidValue, fmt.Sprintf("%d attributes; a message has at most %d", len(e.Attributes), maxAttributes)
	}
	for name, value := range e.Attributes {
		if name == "" || value == "" || !allowed(name) || !allowed(value) {
			return CodeInvalidValue, fmt.Sprintf("the attribute %q is empty or has characters that no message may have", name)
		}
	}
	return "", ""
}

// allowed reports whether s is UTF-8 with only the characters of XML 1.0, as SQS requires (API,
// SendMessage).
func allowed(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	})
}
