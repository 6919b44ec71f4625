// Package faults is a proxy between the program and S3, SQS and the Sheets API. It does to requests
// and answers what networks and services do: errors, lost answers, duplicates, delays. What happens
// to the n-th request that a rule is for is a function of the seed, so that a schedule of faults
// can be told by its seed; in which order requests of several processes come is the machine's
// affair.
//
// A Front also counts its faults, keeps a log that can be printed as a story, and reports to
// watchers which requests were applied, in their order: see Audit.
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
	Slow          Kind = "slow"      // carried out, after a time
	Hang          Kind = "no answer" // until the client goes away
	AppliedError  Kind = "applied, 500"
	AppliedCut    Kind = "applied, cut"
	Denied        Kind = "AccessDenied"
	NotFound      Kind = "404"                      // of an object that is there
	Conflict      Kind = "409"                      // of a conditional write: another one is under way
	Precondition  Kind = "412"                      // of a conditional write
	Outage        Kind = "S3 is away"               // every request to S3 is cut
	Foreign       Kind = "a key outside the prefix" // in a listing that is carried out
	// Skewed happens without a rule, as it does at AWS: to requests that are signed by a clock
	// which is a quarter of an hour off the server's.
	Skewed Kind = "RequestTimeTooSkewed"

	FailedEntries Kind = "failed entries"      // some of a batch are refused, the others done
	Duplicated    Kind = "duplicated message"  // some messages of a batch are sent once more, later
	Delayed       Kind = "delayed message"     // some messages of a batch are sent later only
	Redelivered   Kind = "redelivered message" // the received messages stay visible
	Reordered     Kind = "reordered messages"
	LostReceive   Kind = "lost receive"  // messages become invisible, and no client gets them
	LostDelete    Kind = "lost deletion" // some are answered as deleted, and are not
	WrongCounts   Kind = "wrong counts"  // the queue reports that it is empty

	Quota     Kind = "429"            // of the Sheets API
	Truncated Kind = "half an answer" // JSON that ends in the middle, of the Sheets API
	FewerRows Kind = "rows left out"  // of a worksheet: the header and half of the rows at most
	NoValues  Kind = "no values"      // a worksheet is answered as an empty one

	// Crash calls the rule's Do, which kills a process, before the request is carried out;
	// CrashAfter, when it has been and before it is answered. So a process ends between any two of
	// its requests.
	Crash      Kind = "crash before"
	CrashAfter Kind = "crash after"
	// Event calls the rule's Do, and then carries the request out.
	Event Kind = "event"
)

// What is done to processes and queues past the front, and counted with the rest (Front.Did).
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
	case NotFound:
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

// Rule selects the requests for a fault. Of the requests that match all its fields, the fault
// happens to Times requests from the First on, or else to a random Share of them.
type Rule struct {
	Kind   Kind
	Op     string // "" is any
	From   string // a prefix of the process's name; "" is any
	Target string // a part of the key or the queue's name; "" is any
	Page   int    // of a listing, from 1; 0 is any

	First, Times int // from 1; Times 0 is one, negative is all
	Share        float64

	Delay time.Duration // of Slow; 0 is drawn

	Do func(Request) // of Crash, CrashAfter and Event
}

func (r *Rule) fits(q *Request) bool {
	return r.Kind.fits(q) && (r.Op == "" || r.Op == q.Op) && (r.Page == 0 || r.Page == q.Page) &&
		strings.HasPrefix(q.From, r.From) && strings.Contains(q.Target, r.Target)
}

// hits reports whether the fault happens to the n-th request that the rule fits.
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
