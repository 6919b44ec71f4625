// Package faults is a proxy between the program and S3, SQS and the Sheets API. It applies the
// faults of networks and services to requests and answers: errors, lost answers, duplicates,
// delays. The seed decides what happens to the n-th request that a rule fits, so a seed identifies
// a schedule of faults. The order of requests from several processes depends on the machine.
//
// A Front also counts its faults, keeps a log that can be printed as a story, and reports the
// applied requests to watchers in their order: see Audit.
package faults

import (
	"strings"
	"time"
)

// Kind is a kind of fault.
type Kind string

// The kinds. Unless noted otherwise, the request is not executed.
const (
	InternalError Kind = "500"
	SlowDown      Kind = "503"       // S3's SlowDown; SQS's throttling is a 400
	Cut           Kind = "cut"       // the connection is closed
	Slow          Kind = "slow"      // executed, after a delay
	Hang          Kind = "no answer" // until the client disconnects
	AppliedError  Kind = "applied, 500"
	AppliedCut    Kind = "applied, cut"
	Denied        Kind = "AccessDenied"
	NotFound      Kind = "404"                      // of an existing object
	Conflict      Kind = "409"                      // of a conditional write, during another
	Precondition  Kind = "412"                      // of a conditional write
	Outage        Kind = "S3 is away"               // every request to S3 is cut
	Foreign       Kind = "a key outside the prefix" // in a listing that is executed
	Aged          Kind = "an older object"          // executed; the object seems to be older by Delay
	// Skewed needs no rule. It affects requests whose signing clock differs from the server's by
	// more than a quarter of an hour, as at AWS.
	Skewed Kind = "RequestTimeTooSkewed"

	FailedEntries Kind = "failed entries"      // some entries of a batch fail, the others succeed
	Duplicated    Kind = "duplicated message"  // some are sent a second time, later
	Delayed       Kind = "delayed message"     // some messages of a batch are only sent later
	Redelivered   Kind = "redelivered message" // the received messages stay visible
	Reordered     Kind = "reordered messages"
	LostReceive   Kind = "lost receive"  // messages become invisible, and no client receives them
	LostDelete    Kind = "lost deletion" // some are reported as deleted, but are not
	WrongCounts   Kind = "wrong counts"  // the queue reports that it is empty

	Quota     Kind = "429"            // of the Sheets API
	Truncated Kind = "half an answer" // truncated JSON, of the Sheets API
	FewerRows Kind = "rows left out"  // only the header and at most half of the rows
	NoValues  Kind = "no values"      // a worksheet looks empty

	// Crash calls the rule's Do, which kills a process, before the request is executed. CrashAfter
	// does so after the execution and before the answer. So a process can end between any two of
	// its requests.
	Crash      Kind = "crash before"
	CrashAfter Kind = "crash after"
	// Event calls the rule's Do, and then executes the request.
	Event Kind = "event"
)

// Faults of processes and queues that do not pass through the front, counted with the others
// (Front.Did).
const (
	Killed  Kind = "kill -9"
	Stopped Kind = "SIGSTOP"
	Purged  Kind = "purged queue"
	Edited  Kind = "sheet edited in mid-run"
	Deleted Kind = "settings.json deleted"
	Hand    Kind = "a person's hand"
	Junk    Kind = "junk message"
)

// fits reports whether a kind can happen to a request.
func (k Kind) fits(r *Request) bool {
	switch k {
	case NotFound, Aged:
		return r.Op == "GetObject"
	case Outage:
		return !r.isSQS() && !r.isSheets()
	case Foreign:
		return r.Op == "ListObjectsV2"
	case Conflict, Precondition:
		return r.Conditional
	case Quota, Truncated:
		return r.isSheets()
	case FewerRows, NoValues:
		return r.Op == opValues
	case FailedEntries:
		return r.isBatch()
	case Duplicated, Delayed:
		return r.Op == "SendMessageBatch"
	case Redelivered, Reordered, LostReceive:
		return r.Op == "ReceiveMessage"
	case LostDelete:
		return r.Op == "DeleteMessageBatch"
	case WrongCounts:
		return r.Op == "GetQueueAttributes"
	}
	return true
}

// Rule selects the requests for a fault. Of the requests that match all its fields, Times requests
// from the First on have the fault, or else a random Share of them.
type Rule struct {
	Kind   Kind
	Op     string // "" is any
	From   string // a prefix of the process's name; "" is any
	Target string // a substring of the key or the queue's name; "" is any
	Page   int    // of a listing, from 1; 0 is any

	First, Times int // from 1; Times 0 is one, negative is all
	Share        float64

	Delay time.Duration // of Slow, 0: random; of Aged

	Do func(Request) // of Crash, CrashAfter and Event
}

func (r *Rule) fits(q *Request) bool {
	return r.Kind.fits(q) && (r.Op == "" || r.Op == q.Op) && (r.Page == 0 || r.Page == q.Page) &&
		strings.HasPrefix(q.From, r.From) && strings.Contains(q.Target, r.Target)
}

// hits reports whether the n-th request that the rule fits has the fault.
func (r *Rule) hits(n int, drawn float64) bool {
	if r.First == 0 {
		return drawn < r.Share
	}
	times := r.Times
	if times == 0 {
		times = 1
	}
	return n >= r.First && (times < 0 || n < r.First+times)
}
