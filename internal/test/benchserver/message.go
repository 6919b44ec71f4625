package benchserver

import (
	"container/heap"
	"crypto/md5" //nolint:gosec // The digest that SQS returns for a body.
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// message is one message of a queue.
type message struct {
	id         uint64
	body       string
	digest     string // MD5 in hexadecimal
	attributes map[string]attribute
	sent       time.Time
	receives   int
	hidden     bool
	until      time.Time // the time when a hidden message becomes visible
	gone       bool      // deleted
}

// attribute is an attribute of a message, in JSON.
type attribute struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

func newMessage(id uint64, body string, attributes map[string]attribute) *message {
	sum := md5.Sum([]byte(body)) //nolint:gosec // The digest that SQS returns for a body.
	return &message{id: id, body: body, digest: hex.EncodeToString(sum[:]), attributes: attributes, sent: time.Now()}
}

func (m *message) name() string { return fmt.Sprintf("%032x", m.id) }

// receipt returns the receipt of the message's last receive.
func (m *message) receipt() string {
	return strconv.FormatUint(m.id, 16) + "." + strconv.Itoa(m.receives)
}

func parseReceipt(receipt string) (id uint64, receives int, ok bool) {
	hexID, count, _ := strings.Cut(receipt, ".")
	id, err := strconv.ParseUint(hexID, 16, 64)
	if err != nil {
		return 0, 0, false
	}
	receives, err = strconv.Atoi(count)
	return id, receives, err == nil
}

// isAllowed reports whether the body has only characters of XML 1.0. SQS accepts no others
// (SendMessage, SQS API reference).
func isAllowed(body string) bool {
	for _, r := range body {
		switch {
		case r == '\t', r == '\n', r == '\r', r >= ' ' && r <= 0xD7FF, r >= 0xE000 && r <= 0xFFFD, r >= 0x10000:
		default:
			return false
		}
	}
	return body != ""
}

// hiding is the time at which a message becomes visible. The message may have been deleted or
// hidden again since.
type hiding struct {
	until   time.Time
	message *message
}

func (h hiding) holds() bool {
	return !h.message.gone && h.message.hidden && h.message.until.Equal(h.until)
}

// hidings is a heap, the earliest first.
type hidings []hiding

func (h hidings) Len() int           { return len(h) }
func (h hidings) Less(i, j int) bool { return h[i].until.Before(h[j].until) }
func (h hidings) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *hidings) Push(x any)        { *h = append(*h, x.(hiding)) }
func (h *hidings) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// expired removes and returns a valid hiding that has ended by now, or nil.
func (h *hidings) expired(now time.Time) *message {
	for len(*h) > 0 {
		first := (*h)[0]
		if first.holds() && first.until.After(now) {
			return nil
		}
		heap.Pop(h)
		if first.holds() {
			return first.message
		}
	}
	return nil
}
