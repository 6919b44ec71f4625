package state

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/retry"
)

// State of a run.
type State string

// The states: planning → publishing → running → verifying → succeeded | failed.
const (
	Planning   State = "planning"
	Publishing State = "publishing"
	Running    State = "running"
	Verifying  State = "verifying"
	Succeeded  State = "succeeded"
	Failed     State = "failed"
	Review     State = "review"     // planned, waiting for apply
	Cancelled  State = "cancelled"  // stopped by a person
	Superseded State = "superseded" // a newer run took over
	DryRun     State = "dry-run"    // of a plan that was not saved; no run has it
)

// Active reports whether the run has not ended and no other may begin.
func (s State) Active() bool {
	return s == Planning || s == Publishing || s == Running || s == Verifying
}

// Acting reports whether workers apply tasks of the run.
func (s State) Acting() bool { return s == Publishing || s == Running }

// Fence limits how long a worker may act on an old view of the pointer, in milliseconds.
type Fence struct {
	CacheMS   int64 `json:"cache_ms"`   // how old a worker's view may be when it begins a write
	AttemptMS int64 `json:"attempt_ms"` // how long one write to the bucket may take
}

// DefaultFence is the fence of new runs. 5 s is far longer than S3's slowest copies of a small
// object (FACTS: tens to 200 ms). 1 s of cache costs a worker one GET a second.
var DefaultFence = Fence{CacheMS: 1000, AttemptMS: 5000}

// Cache is how old a worker's view of the pointer may be when it begins a write.
func (f Fence) Cache() time.Duration { return time.Duration(f.CacheMS) * time.Millisecond }

// Attempt is how long one write to the bucket may take.
func (f Fence) Attempt() time.Duration { return time.Duration(f.AttemptMS) * time.Millisecond }

// Quiet is how long after a change of the pointer a worker may still act on the old pointer. The
// margin covers a request that the client cut off while the bucket still worked on it.
func (f Fence) Quiet() time.Duration { return f.Cache() + f.Attempt() + time.Second }

// Pointer is current.json: the run in force.
type Pointer struct {
	V          int    `json:"v"`
	Generation int64  `json:"generation"`
	Run        string `json:"run"`
	State      State  `json:"state"`
	Reason     string `json:"reason,omitempty"` // why the run failed
	// Note is what an active run waits for, or what blocks it; "" when it makes progress. Swap
	// clears a note when it changes the state.
	Note  string `json:"note,omitempty"`
	Tasks int    `json:"tasks"`
	// Published counts the chunks of which all tasks have been sent.
	Published int `json:"published"`
	// Heartbeat grows while a planner plans or publishes. Only a change of it has a meaning.
	Heartbeat int64     `json:"heartbeat"`
	Fence     Fence     `json:"fence"`
	Started   time.Time `json:"started"`
	Finished  time.Time `json:"finished,omitzero"`
	// Writer is random for each write. By it a writer recognises its own write when the answer was
	// lost.
	Writer string `json:"writer"`
}

// PointerSnapshot is the pointer as it was read or written. The zero value means that there is no
// pointer yet.
type PointerSnapshot struct {
	Pointer
	// Age is the pointer's age at the time of the read, by the bucket's clock; negative: unknown.
	Age  time.Duration
	etag string
}

// Exists reports whether there is a pointer.
func (h PointerSnapshot) Exists() bool { return h.etag != "" }

// ErrConflict means that another process has changed the pointer or written the report. The caller
// must stop acting on the run.
var ErrConflict = errors.New("another process is acting on the run")

// Current reads the pointer. With a known snapshot it sends a conditional GET, which transfers
// nothing when the pointer has not changed.
func (s *Store) Current(ctx context.Context, known PointerSnapshot) (PointerSnapshot, error) {
	c, err := s.Bucket.GetObject(ctx, s.Layout.State()+pointerName, known.etag)
	switch {
	case errors.Is(err, bucket.ErrNotModified):
		return known, nil
	case errors.Is(err, bucket.ErrNotFound):
		return PointerSnapshot{}, nil
	case err != nil:
		return PointerSnapshot{}, fmt.Errorf("read %s%s: %w", s.Layout.State(), pointerName, err)
	}
	h := PointerSnapshot{etag: c.ETag, Age: c.Age}
	err = Unseal(c.Body, &h.Pointer)
	if err == nil && (h.Generation < 1 || !ValidRun(h.Run) || h.Run == "") {
		err = fmt.Errorf("%w: it names run %.100q of generation %d", ErrDamaged, h.Run, h.Generation)
	}
	if err != nil {
		return PointerSnapshot{}, fmt.Errorf("read %s%s: %w; restore the object's last version, or delete it: then shuffle plan begins a new run, and nothing in the datasets is lost",
			s.Layout.State(), pointerName, err)
	}
	return h, nil
}

// Swap writes next on the condition that the pointer has not changed since the snapshot, except for
// its note. After another process's change it returns ErrConflict. It recognises by Writer a write
// that succeeded although its response was lost. It tries again when a write is refused and the
// pointer is unchanged, as with S3's 409 for racing writes.
func (s *Store) Swap(ctx context.Context, pointer PointerSnapshot, next Pointer) (PointerSnapshot, error) {
	next.V, next.Writer = 1, rand.Text()
	if next.State != pointer.State && next.Note == pointer.Note {
		next.Note = ""
	}
	body, err := Seal(next)
	if err != nil {
		return PointerSnapshot{}, fmt.Errorf("write %s: %w", pointerName, err)
	}
	cond := bucket.Condition{IfMatch: pointer.etag, IfNoneMatch: !pointer.Exists()}
	for try := 1; ; try++ {
		etag, err := s.Write(ctx, pointerName, body, cond)
		if err == nil {
			return PointerSnapshot{Pointer: next, etag: etag}, nil
		}
		refused := errors.Is(err, bucket.ErrPrecondition) || errors.Is(err, bucket.ErrNotFound)
		now, readErr := s.Current(ctx, PointerSnapshot{})
		switch {
		case readErr == nil && now.Writer == next.Writer:
			return now, nil
		case !refused:
			return PointerSnapshot{}, errors.Join(err, readErr)
		case readErr != nil || !sameButNote(now.Pointer, pointer.Pointer) || try == swapTries:
			return PointerSnapshot{}, fmt.Errorf("%w: %w", ErrConflict, err)
		}
		cond = bucket.Condition{IfMatch: now.etag, IfNoneMatch: !now.Exists()}
		if err := retry.Sleep(ctx, retry.Backoff(20*time.Millisecond, try, time.Second)); err != nil {
			return PointerSnapshot{}, err
		}
	}
}

// sameButNote reports whether two pointers differ at most in their notes. A changed note does not
// change who may act.
func sameButNote(a, b Pointer) bool {
	a.Note, a.Writer = b.Note, b.Writer
	return a == b
}

// swapTries is how often one Swap writes when writes are refused although nothing has changed.
const swapTries = 6
