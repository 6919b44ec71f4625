package benchserver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path"
)

// sqsError is an error of a whole request, in SQS's JSON protocol: the name of the type, and the
// code of the query protocol, which the SDK still shows.
type sqsError struct{ name, code, message string }

var (
	queueAbsent = &sqsError{"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."}
	queueExists = &sqsError{"QueueNameExists", "QueueAlreadyExists", "A queue already exists with the same name and a different value for an attribute."}
	emptyBatch  = &sqsError{"EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one entry in the request."}
	longBatch   = &sqsError{"TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10."}
	largeBatch  = &sqsError{"BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes."}
	unsupported = &sqsError{"UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", "Unsupported operation."}
)

// sqsRequest has the fields of all requests.
type sqsRequest struct {
	QueueUrl   string
	QueueName  string
	Attributes map[string]string

	AttributeNames              []string // of a queue, or the older name of the next field
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	MaxNumberOfMessages         int
	WaitTimeSeconds             *int
	VisibilityTimeout           *int
	Entries                     []sqsEntry
}

// sqsEntry has the fields of the entries of all batches.
type sqsEntry struct {
	Id                string
	MessageBody       string
	MessageAttributes map[string]attribute
	DelaySeconds      int
	ReceiptHandle     string
	VisibilityTimeout int
}

func (s *Server) serveSQS(w http.ResponseWriter, r *http.Request, operation string) {
	var in sqsRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		(&sqsError{"InvalidRequest", "MalformedQueryString", err.Error()}).answer(w)
		return
	}
	if s.wait(r.Context(), func(o *Options) *Latency { return &o.Queue }) != nil {
		return // the client has disconnected
	}
	out, no := s.operate(r, operation, &in)
	s.count.billed(in.size() + sizeOf(out))
	if no != nil {
		no.answer(w)
		return
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(out) // strings and numbers cannot fail
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_, _ = w.Write(body.Bytes()) // a client that has disconnected gets no answer
}

// size is the number of bytes of the messages in a request.
func (in *sqsRequest) size() (n int) {
	for _, e := range in.Entries {
		n += e.size()
	}
	return n
}

// sizeOf is the number of bytes of the messages in an answer.
func sizeOf(answer any) (n int) {
	if got, ok := answer.(receivedMessages); ok {
		for _, m := range got.Messages {
			n += len(m.Body)
		}
	}
	return n
}

func (no *sqsError) answer(w http.ResponseWriter) {
	body, _ := json.Marshal(map[string]string{"__type": "com.amazonaws.sqs#" + no.name, "message": no.message})
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-Query-Error", no.code+";Sender")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write(body) // a client that has disconnected gets no answer
}

// operate executes one request.
func (s *Server) operate(r *http.Request, operation string, in *sqsRequest) (any, *sqsError) {
	switch operation {
	case "CreateQueue":
		return s.createQueue(r, in)
	case "GetQueueUrl":
		if s.queue(in.QueueName) == nil {
			return nil, queueAbsent
		}
		return queueURL(r, in.QueueName), nil
	}
	q := s.queue(path.Base(in.QueueUrl))
	if q == nil {
		return nil, queueAbsent
	}
	switch operation {
	case "GetQueueAttributes":
		return map[string]any{"Attributes": q.getAttributes(in.AttributeNames)}, nil
	case "SetQueueAttributes":
		return struct{}{}, q.setAttributes(in.Attributes)
	case "ReceiveMessage":
		return s.receiveMessage(r.Context(), q, in), nil
	case "PurgeQueue":
		q.purge()
		return struct{}{}, nil
	case "DeleteQueue":
		s.deleteQueue(q.name)
		return struct{}{}, nil
	}
	return s.batch(q, operation, in)
}

func (s *Server) queue(name string) *queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queues[name]
}

func (s *Server) deleteQueue(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.queues, name)
}

func (s *Server) createQueue(r *http.Request, in *sqsRequest) (any, *sqsError) {
	made := newQueue(in.QueueName)
	if no := made.setAttributes(in.Attributes); no != nil {
		return nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.queues[in.QueueName]
	switch {
	case old == nil:
		s.queues[in.QueueName] = made
	case !old.has(in.Attributes):
		return nil, queueExists
	}
	return queueURL(r, in.QueueName), nil
}

func queueURL(r *http.Request, name string) any {
	return map[string]string{"QueueUrl": "http://" + r.Host + "/000000000000/" + name}
}
