// Package state is everything that the program keeps in the bucket, under <prefix>/shuffle/ (DESIGN
// 9). It also has the protocol that decides which of planner, workers and tracker may act.
//
// The protocol needs only conditional PutObject. current.json, the pointer, is the one object that
// names the run in force. It is changed by compare-and-swap. The objects of a run are under
// runs/<run>/, and the pointer decides which process may write them.
//
// # Who may act when
//
// A worker acts on a task only while it has a snapshot of the pointer younger than Fence.Cache. In
// this snapshot the task's generation must be in force, and the run must be publishing or running.
// An attempt to write to the bucket takes at most Fence.Attempt. So when Fence.Quiet has passed
// after a change of the pointer, no worker acts on the old pointer any more. A planner waits for
// that before it lists the datasets. It measures the time by the bucket's own clock
// (bucket.Content.Age), or by its own clock from after its own write. The clocks of two machines
// are never compared. The fence's two limits are in the pointer itself, so that the waiting planner
// and the acting workers use the same ones.
//
// What each step of a takeover relies on:
//
//	two planners take the pointer        conditional PutObject: only one write succeeds
//	a worker's snapshot is younger than  the worker's own monotonic clock, read before the GET was sent,
//	Fence.Cache                          and compared before each write
//	a write starts within Fence.Attempt  the deadline of its request, checked once more right before the
//	of that check                        system call (bucket.Late). A process that is stopped in between
//	                                     and continues much later sends nothing. The remaining gap is a
//	                                     stop between this check and the system call itself.
//	a write has ended                    the same deadline, and the margin of Fence.Quiet: how long the
//	                                     bucket may work on a request whose client is gone
//	no worker acts on the old pointer    the planner's own clock since its write of the pointer, or the
//	                                     pointer's age by the bucket's clock
//	late results of old tasks            the generation in each message: they count in the ledger of
//	                                     their own run
package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/retry"
)

// Bucket is the part of a bucket that the state needs.
type Bucket interface {
	GetObject(ctx context.Context, key, ifNoneMatch string) (bucket.Content, error)
	PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error)
	PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error)
	ListObjects(ctx context.Context, in bucket.ListInput) (bucket.Page, error)
}

// Store reads and writes the program's state.
type Store struct {
	Bucket Bucket
	Layout dataset.Layout
	// Scope names the environment in messages (messages.Scope). With "" the messages of every
	// environment are accepted.
	Scope string
}

// Read gets an object by its name below <prefix>/shuffle/. A missing one is bucket.ErrNotFound.
func (s *Store) Read(ctx context.Context, name string) (bucket.Content, error) {
	c, err := s.Bucket.GetObject(ctx, s.Layout.State()+name, "")
	if err != nil {
		return bucket.Content{}, fmt.Errorf("read %s%s: %w", s.Layout.State(), name, err)
	}
	return c, nil
}

// Write puts an object by its name below <prefix>/shuffle/.
func (s *Store) Write(ctx context.Context, name string, body []byte, cond bucket.Condition) (string, error) {
	etag, err := s.Bucket.PutObject(ctx, s.Layout.State()+name, body, cond)
	if err != nil {
		return "", fmt.Errorf("write %s%s: %w", s.Layout.State(), name, err)
	}
	return etag, nil
}

// WriteFrom is Write for a body that is not in memory. The body is read from its start, perhaps
// several times.
func (s *Store) WriteFrom(ctx context.Context, name string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	etag, err := s.Bucket.PutObjectFrom(ctx, s.Layout.State()+name, body, cond)
	if err != nil {
		return "", fmt.Errorf("write %s%s: %w", s.Layout.State(), name, err)
	}
	return etag, nil
}

// Exists reports whether an object of that name exists, without reading it.
func (s *Store) Exists(ctx context.Context, name string) (bool, error) {
	key := s.Layout.State() + name
	page, err := bucket.List(ctx, s.Bucket, bucket.ListInput{Prefix: key, MaxKeys: 1, KeysOnly: true})
	return len(page.Objects) > 0 && page.Objects[0].Key == key, err
}

// ReadJSON reads an object of one JSON value into v. The error is ErrDamaged when the object cannot
// be decoded.
func (s *Store) ReadJSON(ctx context.Context, name string, v any) (etag string, err error) {
	c, err := s.Read(ctx, name)
	if err != nil {
		return "", err
	}
	if err := Unseal(c.Body, v); err != nil {
		return "", fmt.Errorf("read %s%s: %w", s.Layout.State(), name, err)
	}
	return c.ETag, nil
}

// WriteJSON writes v as one sealed JSON object.
func (s *Store) WriteJSON(ctx context.Context, name string, v any, cond bucket.Condition) error {
	body, err := Seal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = s.Write(ctx, name, body, cond)
	return err
}

// Update reads an object and writes the new body that change returns, on the condition that the
// object is unchanged. After another process's write it starts again. change gets nil when there is
// no object yet, and returns nil to write nothing. It must be safe to apply twice, as a union is,
// because a write whose response was lost is repeated.
//
// A broken store may refuse again and again although no other process writes. Update tries a few
// times with growing pauses, and then returns the error.
func (s *Store) Update(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error {
	for try := 1; ; try++ {
		var cond bucket.Condition
		old, err := s.Read(ctx, name)
		switch {
		case errors.Is(err, bucket.ErrNotFound):
			cond.IfNoneMatch = true
		case err != nil:
			return err
		default:
			cond.IfMatch = old.ETag
		}
		body, err := change(old.Body)
		if err != nil || body == nil {
			return err
		}
		_, err = s.Write(ctx, name, body, cond)
		// A conditional write over a deleted object gives 404.
		lost := errors.Is(err, bucket.ErrPrecondition) || cond.IfMatch != "" && errors.Is(err, bucket.ErrNotFound)
		if !lost || ctx.Err() != nil || try == updateTries {
			return err
		}
		if try > 1 {
			if err := retry.Sleep(ctx, retry.Backoff(20*time.Millisecond, try, time.Second)); err != nil {
				return err
			}
		}
	}
}

// updateTries is the number of writes of one Update. Their pauses are about 5 s together.
const updateTries = 12

// Names lists a folder of the state: names of objects and, ending in "/", of folders, relative to
// that folder.
func (s *Store) Names(ctx context.Context, folder string) ([]string, error) {
	prefix := s.Layout.State() + folder
	var names []string
	for page, err := range bucket.Pages(ctx, s.Bucket, bucket.ListInput{Prefix: prefix, Delimiter: "/"}) {
		if err != nil {
			return nil, err
		}
		for _, o := range page.Objects {
			names = append(names, strings.TrimPrefix(o.Key, prefix))
		}
		for _, p := range page.Prefixes {
			names = append(names, strings.TrimPrefix(p, prefix))
		}
	}
	return names, nil
}

// Names of objects below <prefix>/shuffle/.
const (
	pointerName    = "current.json"
	settingsName   = "settings.json"
	seedName       = "seed.json" // the settings of earlier releases
	UnreadableName = "unreadable.jsonl"

	environmentsName = "other-environments.json"

	LatestName = "versions/latest.json"
)

// RunName is the name of an object of a run.
func RunName(run, file string) string { return "runs/" + run + "/" + file }

// VersionName is the name of an object of a dataset version.
func VersionName(generation int64, file string) string {
	return fmt.Sprintf("versions/%d/%s", generation, file)
}
