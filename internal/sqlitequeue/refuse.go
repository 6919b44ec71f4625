package sqlitequeue

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/angel-nft/google-shuffle/internal/queue"
)

// Codes with which SQS refuses a request, or an entry of one.
const (
	codeEmptyBatch      = "AWS.SimpleQueueService.EmptyBatchRequest"
	codeTooManyEntries  = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
	codeBatchTooLong    = "AWS.SimpleQueueService.BatchRequestTooLong"
	codeNotInFlight     = "AWS.SimpleQueueService.MessageNotInflight"
	codeInvalidValue    = "InvalidParameterValue"
	codeInvalidContents = "InvalidMessageContents"
	codeMissing         = "MissingParameter"
	codeInvalidReceipt  = "ReceiptHandleIsInvalid"
)

// SQS takes at most so many attributes a message.
const maxAttributes = 10

// refusal is the error of a request that was refused whole. It has the code that SQS has for it, as the SDK's errors have.
type refusal struct{ code, message string }

func (r *refusal) Error() string     { return r.code + ": " + r.message }
func (r *refusal) ErrorCode() string { return r.code }

func refuse(code, format string, args ...any) error {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

func checkCount(n int) error {
	switch {
	case n == 0:
		return refuse(codeEmptyBatch, "there are no entries in the request")
	case n > queue.MaxBatch:
		return refuse(codeTooManyEntries, "%d entries; at most %d go into a request", n, queue.MaxBatch)
	}
	return nil
}

func checkSend(entries []queue.Entry) error {
	size := 0
	for _, e := range entries {
		size += e.Size()
	}
	if size > queue.MaxBatchBytes {
		return refuse(codeBatchTooLong, "the messages have %d bytes; at most %d go into a request", size, queue.MaxBatchBytes)
	}
	return checkCount(len(entries))
}

func checkReceive(limit int, wait time.Duration) error {
	switch {
	case limit < 1 || limit > queue.MaxBatch:
		return refuse(codeInvalidValue, "%d messages asked for; want 1 to %d", limit, queue.MaxBatch)
	case wait < 0 || wait > queue.MaxWait:
		return refuse(codeInvalidValue, "wait time %s; want 0s to %s", wait, queue.MaxWait)
	}
	return nil
}

func checkVisibility(timeout time.Duration) error {
	if timeout < 0 || timeout > queue.MaxVisibility {
		return refuse(codeInvalidValue, "visibility timeout %s; want 0s to %s", timeout, queue.MaxVisibility)
	}
	return nil
}

// fault is the failure of an entry that is refused; "" is the code of a good one.
func fault(e queue.Entry) (code, message string) {
	if e.Body == "" {
		return codeMissing, "the message has no body"
	}
	if !allowed(e.Body) {
		return codeInvalidContents, "the body has characters that no message may have"
	}
	if len(e.Attributes) > maxAttributes {
		return codeInvalidValue, fmt.Sprintf("%d attributes; a message has at most %d", len(e.Attributes), maxAttributes)
	}
	for name, value := range e.Attributes {
		if name == "" || value == "" || !allowed(name) || !allowed(value) {
			return codeInvalidValue, fmt.Sprintf("the attribute %q is empty or has characters that no message may have", name)
		}
	}
	return "", ""
}

// allowed says whether s is UTF-8 of characters that XML 1.0 has, which is what SQS takes (API, SendMessage).
func allowed(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	})
}
