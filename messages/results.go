package messages

import (
	"encoding/json"
	"fmt"
)

// Outcome is how a task ended.
type Outcome string

// The outcomes. The first four mean that the task was applied.
const (
	Copied     Outcome = "copied"
	Moved      Outcome = "moved"
	Refreshed  Outcome = "refreshed"
	Deleted    Outcome = "deleted"
	Superseded Outcome = "superseded" // not applied, because its run is no longer in force
	Dead       Outcome = "dead"       // cannot be applied, with a reason
)

// Outcomes lists all outcomes, those of applied tasks first.
var Outcomes = []Outcome{Copied, Moved, Refreshed, Deleted, Dead, Superseded}

// Done returns the outcome of a task with this operation after it was applied.
func (op Op) Done() Outcome {
	switch op {
	case Copy:
		return Copied
	case Move:
		return Moved
	case Refresh:
		return Refreshed
	case Delete:
		return Deleted
	}
	panic("no outcome for op " + string(op)) // ParseTask refuses all other operations
}

// IsDone reports whether the outcome means that the task was applied.
func (o Outcome) IsDone() bool {
	return o == Copied || o == Moved || o == Refreshed || o == Deleted
}

// Result is how one delivery of a task ended.
type Result struct {
	Seq     uint32  `json:"seq"`
	Outcome Outcome `json:"outcome"`
	// ETag is the destination's ETag after the copy.
	ETag string `json:"etag,omitempty"`
	// SrcETag is the ETag of the copied content, when it differs from the task's SrcETag: the
	// source changed after the plan.
	SrcETag string `json:"src_etag,omitempty"`
	// Attempts is the receive count of the delivery.
	Attempts int `json:"attempts"`
	// Code and Error are the reason of a dead task: S3's error code and S3's message.
	Code  string `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
	Round uint32 `json:"round,omitempty"`
}

// Results is one message of a worker: many results of one run.
type Results struct {
	V       int      `json:"v"`
	Run     string   `json:"run"`
	Gen     int64    `json:"gen"`
	Worker  string   `json:"worker"`
	Results []Result `json:"results"`
	// Scope names the worker's environment, see Scope. Results of earlier builds have none.
	Scope string `json:"scope,omitempty"`
	// Throttled counts the requests that S3 has throttled (503 SlowDown) since the worker's message
	// before.
	Throttled int64 `json:"throttled,omitempty"`
	// WaitedSeconds is the longest time that one of the tasks waited for its first receive.
	WaitedSeconds int64 `json:"waited_seconds,omitempty"`
}

// Encode returns the message body.
func (r Results) Encode() string {
	body, err := json.Marshal(r)
	if err != nil {
		panic("encode results: " + err.Error()) // every field of Results can be encoded
	}
	return string(body)
}

// ParseResults decodes a message body. Its error is ErrUnreadable.
func ParseResults(body string) (Results, error) {
	var r Results
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return Results{}, fmt.Errorf("%w: not results: %w", ErrUnreadable, err)
	}
	if r.V != Version {
		return Results{}, fmt.Errorf("%w: version %d, expected %d", ErrUnreadable, r.V, Version)
	}
	if err := checkScope(r.Scope); err != nil {
		return Results{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if r.Run == "" || r.Gen < 1 || len(r.Results) == 0 {
		return Results{}, fmt.Errorf("%w: results of run %.40q, gen %d, with %d results", ErrUnreadable, r.Run, r.Gen, len(r.Results))
	}
	for _, res := range r.Results {
		if !res.Outcome.IsDone() && res.Outcome != Dead && res.Outcome != Superseded {
			return Results{}, fmt.Errorf("%w: unknown outcome %.20q of seq %d", ErrUnreadable, res.Outcome, res.Seq)
		}
	}
	return r, nil
}

// Attributes of a message on the dead-letter queue. They give the reason. A message that the
// queue's redrive policy moved has none.
const (
	AttrReason   = "shuffle.reason"   // the error of S3 or of reading the message
	AttrCode     = "shuffle.code"     // S3's error code, or CodeUnreadable
	AttrAttempts = "shuffle.attempts" // receive count
	AttrWorker   = "shuffle.worker"
)

// Codes of messages that workers did not apply, in AttrCode.
const (
	CodeUnreadable = "Unreadable"   // the message is not a task of this program
	CodeForbidden  = "ForbiddenKey" // a task may not read or write its keys
	CodeNotPlanned = "NotPlanned"   // its keys are allowed, but the run's plan has another task with this number
	// CodeNotOurs means that workers of another environment have used up the receives that the
	// queue grants. The tracker of the task's own environment puts it back on the tasks queue.
	CodeNotOurs = "OtherEnvironment"
	// CodePostponed means that the bucket did not answer during any of the receives that the queue
	// grants. The tracker puts it back too.
	CodePostponed = "Postponed"
)
