package sqsqueue

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/angel-nft/google-shuffle/internal/direct"
	"github.com/angel-nft/google-shuffle/internal/queue"
)

// newShortcut makes the calls of every message without most of the SDK (package direct). nil for a client that has none.
func newShortcut(api API) *direct.Client {
	client, ok := api.(*sqs.Client)
	if !ok {
		return nil
	}
	o := client.Options()
	return direct.New("sqs", o.HTTPClient, o.Credentials, o.APIOptions, stallTimeout)
}

// The field of SQS's requests that names the call (AWS JSON protocol 1.0).
const (
	targetHeader = "X-Amz-Target"
	targetPrefix = "AmazonSQS."
)

// call makes a call by the shortcut, or by the SDK: where there is no model yet, and again where the answer is anything else than success, for the
// SDK knows what to do then. (Either may make a call twice, as SQS may deliver a message twice.) in is the request's JSON.
func call[Out any](ctx context.Context, q *Queue, name string, in func() any, sdk func(...func(*sqs.Options)) (*Out, error)) (*Out, error) {
	if q.shortcut == nil {
		return sdk()
	}
	if m := q.shortcut.Model(); m != nil {
		var out Out
		status, ok := send(ctx, q.shortcut, m, name, in(), &out)
		if ok {
			return &out, nil
		}
		if status < http.StatusInternalServerError {
			q.shortcut.Forget(m)
		}
	}
	var seen direct.Sample
	out, err := sdk(sqs.WithAPIOptions(seen.Take))
	if err == nil {
		q.shortcut.Learn(&seen, "", targetHeader)
	}
	return out, err
}

// send says whether it succeeded, and gives the status of the answer, 0 when there was none. The SDK's types have the names of SQS's fields. (Of the MD5 in the answers nothing is made: TLS guards them.)
func send(ctx context.Context, to *direct.Client, m *direct.Model, name string, in, out any) (status int, ok bool) {
	body, err := json.Marshal(in)
	if err != nil {
		return 0, false
	}
	answer, err := to.Do(ctx, m, direct.Request{Fields: []direct.Field{{Name: targetHeader, Value: targetPrefix + name}}, Body: body})
	if err != nil {
		return 0, false
	}
	return answer.Status, answer.Status == http.StatusOK && json.Unmarshal(answer.Body, out) == nil
}

// batchRequest and its entries have what the requests need of SQS's fields; the SDK's types would say the others too, as null.
type batchRequest[Entry any] struct {
	QueueUrl string
	Entries  []Entry
}

type sendEntry struct {
	Id                string
	MessageBody       string
	MessageAttributes map[string]attributeValue `json:",omitempty"`
}

type attributeValue struct{ DataType, StringValue string }

type deleteEntry struct {
	Id            string
	ReceiptHandle string
}

func sendEntries(url string, entries []queue.Entry) batchRequest[sendEntry] {
	r := batchRequest[sendEntry]{QueueUrl: url, Entries: make([]sendEntry, len(entries))}
	for i, e := range entries {
		r.Entries[i] = sendEntry{Id: strconv.Itoa(i), MessageBody: e.Body}
		for name, value := range e.Attributes {
			if r.Entries[i].MessageAttributes == nil {
				r.Entries[i].MessageAttributes = make(map[string]attributeValue, len(e.Attributes))
			}
			r.Entries[i].MessageAttributes[name] = attributeValue{"String", value}
		}
	}
	return r
}

func deleteEntries(url string, receipts []string) batchRequest[deleteEntry] {
	r := batchRequest[deleteEntry]{QueueUrl: url, Entries: make([]deleteEntry, len(receipts))}
	for i, receipt := range receipts {
		r.Entries[i] = deleteEntry{strconv.Itoa(i), receipt}
	}
	return r
}

type receiveRequest struct {
	QueueUrl                    string
	MaxNumberOfMessages         int32
	WaitTimeSeconds             int32
	MessageSystemAttributeNames []types.MessageSystemAttributeName
	MessageAttributeNames       []string
}

func receiving(in *sqs.ReceiveMessageInput) receiveRequest {
	return receiveRequest{*in.QueueUrl, in.MaxNumberOfMessages, in.WaitTimeSeconds, in.MessageSystemAttributeNames, in.MessageAttributeNames}
}
