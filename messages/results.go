package messages

import (
	"encoding/json"
	"fmt"
)

// Outcome is how a task ended.
type Outcome string

// The outcomes. The first four are done.
const (
	Copied     Outcome = "copied"
	Moved      Outcome = "moved"
	Refreshed  Outcome = "refreshed"
	Deleted    Outcome = "deleted"
	Superseded Outcome = "superseded" // not applied: its run was no longer the one in force
	Dead       Outcome = "dead"       // given up, with a reason
)

// Outcomes lists all of them, done ones first.
var Outcomes = []Outcome{Copied, Moved, Refreshed, Deleted, Dead, Superseded}

// Done is the outcome of the operation when it has been applied.
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
	panic("no outcome for op " + string(op)) // ParseTask lets no other through
}

// IsDone says whether the outcome means that the task was applied.
func (o Outcome) IsDone() bool {
	return o == Copied || o == Moved || o == Refreshed || o == Deleted
}

// Result is how one delivery of a task ended.
type Result struct {
	Seq     uint32  `json:"seq"`
	Outcome Outcome `json:"outcome"`
	// ETag is the destination's after the copy.
	ETag string `json:"etag,omitempty"`
	// SrcETag is what was copied, where it is not the task's SrcETag: the source changed after the plan.
	SrcETag string `json:"src_etag,omitempty"`
	// Attempts is the receive count of the delivery.
	Attempts int `json:"attempts"`
	// Code and Error are the reason of a dead task: S3's error code and what S3 said.
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
}

// Encode gives the message body.
func (r Results) Encode() string {
	body, err := json.Marshal(r)
	if err != nil {
		panic("encode results: " + err.Error()) // Results holds nothing that JSON cannot
	}
	return string(body)
}

// ParseResults reads a message body. Its error is ErrUnreadable.
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

// Attributes of a message on the dead-letter queue: why it is there. A message that the queue's own redrive policy
// moved has none.
const (
	AttrReason   = "shuffle.reason"   // what S3 or the reader of the message said
	AttrCode     = "shuffle.code"     // S3's error code, or CodeUnreadable
	AttrAttempts = "shuffle.attempts" // receive count
	AttrWorker   = "shuffle.worker"
)

// Codes of messages that workers did not apply, in AttrCode.
const (
	CodeUnreadable = "Unreadable"   // it is no task of this program
	CodeForbidden  = "ForbiddenKey" // its keys lie outside what a task may touch
	CodeNotPlanned = "NotPlanned"   // its keys are allowed, but the run's plan has another task of that number
	// CodeNotOurs: workers of another environment have received it as often as the queue grants. The tracker of
	// its own environment puts it back on the tasks queue.
	CodeNotOurs = "OtherEnvironment"
	// CodePostponed: the bucket did not answer any request at each of the receives that the queue grants. The tracker
	// puts it back too.
	CodePostponed = "Postponed"
)
