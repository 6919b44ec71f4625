package benchserver

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// failure is the error of one entry of a batch.
type failure struct{ code, message string }

var (
	receiptInvalid  = &failure{"ReceiptHandleIsInvalid", "The input receipt handle is invalid."}
	messageGone     = &failure{"InvalidParameterValue", "The message does not exist or is not available for visibility timeout change."}
	notInFlight     = &failure{"MessageNotInflight", "The specified message isn't in flight."}
	contentsInvalid = &failure{"InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"}
)

type batchResult struct {
	Successful []batchDone
	Failed     []batchFailed
}

type batchDone struct {
	Id               string
	MessageId        string `json:",omitempty"`
	MD5OfMessageBody string `json:",omitempty"`
}

type batchFailed struct {
	Id          string
	Code        string
	Message     string
	SenderFault bool
}

// Limits of a batch (SQS Developer Guide, message quotas).
const (
	maxEntries    = 10
	maxBatchBytes = 1 << 20
)

// batch executes a request with entries.
func (s *Server) batch(q *queue, operation string, in *sqsRequest) (any, *sqsError) {
	switch {
	case len(in.Entries) == 0:
		return nil, emptyBatch
	case len(in.Entries) > maxEntries:
		return nil, longBatch
	}
	switch operation {
	case "SendMessageBatch":
		return s.sendBatch(q, in.Entries)
	case "DeleteMessageBatch":
		return eachEntry(in.Entries, func(e sqsEntry) *failure { return q.delete(e.ReceiptHandle) }), nil
	case "ChangeMessageVisibilityBatch":
		return eachEntry(in.Entries, func(e sqsEntry) *failure {
			return q.changeVisibility(e.ReceiptHandle, time.Duration(e.VisibilityTimeout)*time.Second)
		}), nil
	}
	return nil, unsupported
}

func eachEntry(entries []sqsEntry, do func(sqsEntry) *failure) batchResult {
	var result batchResult
	for _, e := range entries {
		if no := do(e); no != nil {
			result.Failed = append(result.Failed, batchFailed{e.Id, no.code, no.message, true})
			continue
		}
		result.Successful = append(result.Successful, batchDone{Id: e.Id})
	}
	return result
}

func (s *Server) sendBatch(q *queue, entries []sqsEntry) (any, *sqsError) {
	size := 0
	for _, e := range entries {
		if size += e.size(); e.DelaySeconds != 0 {
			return nil, unsupported
		}
	}
	if size > maxBatchBytes {
		return nil, largeBatch
	}
	var result batchResult
	sent := make([]*message, 0, len(entries))
	for _, e := range entries {
		if !isAllowed(e.MessageBody) {
			result.Failed = append(result.Failed, batchFailed{e.Id, contentsInvalid.code, contentsInvalid.message, true})
			continue
		}
		m := newMessage(s.lastID.Add(1), e.MessageBody, e.MessageAttributes)
		sent = append(sent, m)
		result.Successful = append(result.Successful, batchDone{e.Id, m.name(), m.digest})
	}
	q.push(sent...)
	return result, nil
}

func (e sqsEntry) size() int {
	n := len(e.MessageBody)
	for name, a := range e.MessageAttributes {
		n += len(name) + len(a.DataType) + len(a.BinaryValue)
		if a.StringValue != nil {
			n += len(*a.StringValue)
		}
	}
	return n
}

type receivedMessage struct {
	MessageId         string
	ReceiptHandle     string
	MD5OfBody         string
	Body              string
	Attributes        map[string]string    `json:",omitempty"`
	MessageAttributes map[string]attribute `json:",omitempty"`
}

type receivedMessages struct{ Messages []receivedMessage }

// receiveMessage executes a long poll.
func (s *Server) receiveMessage(ctx context.Context, q *queue, in *sqsRequest) any {
	q.mu.Lock()
	visibility, wait := q.visibility, q.attributes["ReceiveMessageWaitTimeSeconds"]
	q.mu.Unlock()
	seconds, _ := strconv.Atoi(wait)
	if in.WaitTimeSeconds != nil {
		seconds = *in.WaitTimeSeconds
	}
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	got, over := q.receive(ctx, min(max(in.MaxNumberOfMessages, 1), maxEntries), time.Duration(seconds)*time.Second, visibility)
	s.bury(q, over)
	out := make([]receivedMessage, len(got))
	for i, m := range got {
		out[i] = m.answer(in)
	}
	return receivedMessages{out}
}

// bury moves messages to the queue's dead-letter queue. When that queue does not exist, the
// messages are lost, as in SQS after their retention.
func (s *Server) bury(q *queue, over []*message) {
	if len(over) == 0 {
		return
	}
	if dead := s.queue(q.deadTarget); dead != nil {
		dead.push(over...)
	}
}

func (m received) answer(in *sqsRequest) receivedMessage {
	out := receivedMessage{MessageId: m.name(), ReceiptHandle: m.receipt, MD5OfBody: m.digest, Body: m.body}
	system := append(in.MessageSystemAttributeNames, in.AttributeNames...)
	for name, value := range map[string]string{
		"ApproximateReceiveCount": strconv.Itoa(m.count), "SentTimestamp": strconv.FormatInt(m.sent.UnixMilli(), 10),
	} {
		if slices.Contains(system, name) || slices.Contains(system, "All") {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[name] = value
		}
	}
	if slices.Contains(in.MessageAttributeNames, "All") || slices.Contains(in.MessageAttributeNames, ".*") {
		out.MessageAttributes = m.attributes
	}
	return out
}
