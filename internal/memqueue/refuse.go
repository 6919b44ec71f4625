package memqueue

import (
	"context"
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
	codeInvalidReceipt  = "ReceiptHandleIsInvalid"
)

// refusal is the error of a request that was refused whole, with SQS's code.
type refusal struct{ code, message string }

func (r *refusal) Error() string     { return r.code + ": " + r.message }
func (r *refusal) ErrorCode() string { return r.code }

func checkBatch(ctx context.Context, entries int) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case entries == 0:
		return &refusal{codeEmptyBatch, "there are no entries in the request"}
	case entries > queue.MaxBatch:
		return &refusal{codeTooManyEntries, fmt.Sprintf("%d entries; at most %d go into a request", entries, queue.MaxBatch)}
	}
	return nil
}

func checkSend(ctx context.Context, entries []queue.Entry) error {
	size := 0
	for _, e := range entries {
		size += e.Size()
	}
	if size > queue.MaxBatchBytes {
		return &refusal{codeBatchTooLong, fmt.Sprintf("the messages have %d bytes; at most %d go into a request", size, queue.MaxBatchBytes)}
	}
	return checkBatch(ctx, len(entries))
}

func checkReceive(most int, wait time.Duration) error {
	if most < 1 || most > queue.MaxBatch || wait < 0 || wait > queue.MaxWait {
		return &refusal{codeInvalidValue, fmt.Sprintf("%d messages within %s; want 1 to %d within 0s to %s", most, wait, queue.MaxBatch, queue.MaxWait)}
	}
	return nil
}

func checkVisibility(timeout time.Duration) error {
	if timeout < 0 || timeout > queue.MaxVisibility {
		return &refusal{codeInvalidValue, fmt.Sprintf("visibility timeout %s; want 0s to %s", timeout, queue.MaxVisibility)}
	}
	return nil
}

// fault is the failure of an entry that is refused; nil for a good one. SQS takes the characters of XML 1.0 (API, SendMessage).
func fault(e queue.Entry) *queue.Failure {
	refused := func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	}
	for _, text := range append(attributes(e), e.Body) {
		if text == "" || !utf8.ValidString(text) || strings.ContainsFunc(text, refused) {
			return &queue.Failure{Code: codeInvalidContents, Message: "a text is empty or has characters that no message may have", SenderFault: true}
		}
	}
	return nil
}

func attributes(e queue.Entry) (texts []string) {
	for name, value := range e.Attributes {
		texts = append(texts, name, value)
	}
	return texts
}
