package faults

import (
	"context"
	"crypto/md5" //nolint:gosec // The digest that SQS returns for a body.
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"
)

// batch has the fields of a request with entries that the front needs. The rest of each entry does
// not change.
type batch struct {
	QueueUrl string
	Entries  []json.RawMessage
}

// result is the answer to a batch.
type result struct {
	Successful []json.RawMessage `json:",omitempty"`
	Failed     []json.RawMessage `json:",omitempty"`
}

// messages applies a kind of fault to a request to SQS.
func (c *call) messages(k Kind) {
	switch k {
	case WrongCounts:
		a := c.carryOut()
		c.rewrite(a, "Attributes", emptied)
		c.answer(a)
	case Redelivered:
		c.answer(c.front.carryOut(c.q, c.with(setField(c.q.Body, "VisibilityTimeout", 0))))
	case Reordered:
		a := c.carryOut()
		c.rewrite(a, "Messages", c.shuffled)
		c.answer(a)
	default:
		c.entries(k)
	}
}

// entries applies a kind of fault to at least one entry of a batch. It executes the others
// normally.
func (c *call) entries(k Kind) {
	var in batch
	if json.Unmarshal(c.q.Body, &in) != nil || len(in.Entries) == 0 {
		c.answer(c.carryOut())
		return
	}
	if c.front.Watcher != nil {
		c.front.Watcher.Asked(*c.q) // all of them, because later sends bypass the Watcher
	}
	picked, others := c.pick(in.Entries)
	if k == Duplicated {
		others = in.Entries
	}
	out := result{}
	if len(others) > 0 {
		a := c.front.carryOut(c.q, c.with(encode(batch{in.QueueUrl, others})))
		if a.status != http.StatusOK || json.Unmarshal(a.body.Bytes(), &out) != nil {
			c.answer(a)
			return
		}
	}
	switch k {
	case FailedEntries:
		for _, e := range picked {
			out.Failed = append(out.Failed, encode(map[string]any{"Id": id(e), "Code": "InternalError", "Message": "injected", "SenderFault": false}))
		}
	case Delayed:
		c.later(in.QueueUrl, picked)
		out.Successful = append(out.Successful, sent(picked)...)
	case LostDelete:
		out.Successful = append(out.Successful, sent(picked)...)
	case Duplicated:
		c.later(in.QueueUrl, picked)
	}
	a := &answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}}
	a.body.Write(encode(out))
	c.answer(a)
}

func (c *call) pick(entries []json.RawMessage) (picked, others []json.RawMessage) {
	sure := c.rand.IntN(len(entries))
	for i, e := range entries {
		if i == sure || c.rand.IntN(3) == 0 {
			picked = append(picked, e)
		} else {
			others = append(others, e)
		}
	}
	return picked, others
}

// longestDelay is shorter than a visibility timeout of the tests, so late messages also arrive
// among those of the next run.
const longestDelay = 8 * time.Second

// later sends entries after random delays, even when the client has disconnected.
func (c *call) later(queueURL string, entries []json.RawMessage) {
	for _, e := range entries {
		c.front.late.Add(1)
		r := c.with(encode(batch{queueURL, []json.RawMessage{e}})).WithContext(context.WithoutCancel(c.r.Context()))
		time.AfterFunc(c.upTo(longestDelay), func() {
			defer c.front.late.Add(-1)
			c.front.next.ServeHTTP(&answer{header: http.Header{}}, r)
		})
	}
}

// sent returns the answer of SQS for entries that it accepted.
func sent(entries []json.RawMessage) []json.RawMessage {
	all := make([]json.RawMessage, len(entries))
	for i, e := range entries {
		var entry struct{ Id, MessageBody string }
		_ = json.Unmarshal(e, &entry)             // it was parsed before
		sum := md5.Sum([]byte(entry.MessageBody)) //nolint:gosec // The digest of SQS for a body.
		all[i] = encode(map[string]any{"Id": entry.Id, "MessageId": "late-" + entry.Id, "MD5OfMessageBody": hex.EncodeToString(sum[:])})
	}
	return all
}

func id(e json.RawMessage) string {
	var entry struct{ Id string }
	_ = json.Unmarshal(e, &entry) // without an ID the client cannot match it either
	return entry.Id
}

// rewrite changes one field of a JSON answer; nil removes it.
func (c *call) rewrite(a *answer, field string, change func(json.RawMessage) json.RawMessage) {
	var doc map[string]json.RawMessage
	if a.status != http.StatusOK || json.Unmarshal(a.body.Bytes(), &doc) != nil || doc[field] == nil {
		return
	}
	if doc[field] = change(doc[field]); doc[field] == nil {
		delete(doc, field)
	}
	a.body.Reset()
	a.body.Write(encode(doc))
	a.header.Del("Content-Length")
}

func (c *call) shuffled(list json.RawMessage) json.RawMessage {
	var all []json.RawMessage
	if json.Unmarshal(list, &all) != nil {
		return list
	}
	c.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return encode(all)
}

// emptied returns a queue's attributes with its counts set to zero.
func emptied(attributes json.RawMessage) json.RawMessage {
	var all map[string]string
	if json.Unmarshal(attributes, &all) != nil {
		return attributes
	}
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
		if all[name] != "" {
			all[name] = "0"
		}
	}
	return encode(all)
}

func setField(body []byte, name string, value any) []byte {
	var doc map[string]json.RawMessage
	if json.Unmarshal(body, &doc) != nil {
		return body
	}
	doc[name] = encode(value)
	return encode(doc)
}

func encode(v any) json.RawMessage {
	body, err := json.Marshal(v)
	if err != nil {
		panic("encode: " + err.Error()) // parsed JSON, and plain values
	}
	return body
}
