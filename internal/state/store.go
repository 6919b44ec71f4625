// Package state is everything that the program keeps in the bucket, under <prefix>/shuffle/ (DESIGN 9), and the
// protocol by which planner, workers and tracker take turns.
//
// All of it rests on conditional PutObject alone. current.json, the pointer, is the one object that says which run is
// in force; it is changed by compare-and-swap. What belongs to a run stands under runs/<run>/ and is written by whoever
// the pointer says may.
//
// # Who may act when
//
// A worker acts on a task only while it holds a view of the pointer that is younger than Fence.Cache, in which the task's
// generation is in force and the run is publishing or running; and no attempt to write to the bucket takes longer
// than Fence.Attempt. So once Fence.Quiet has passed after a change of the pointer, nobody acts on what it said
// before. A planner waits for that before it lists the datasets. The time that has passed is told by the bucket's
// own clock (bucket.Content.Age), or measured by the waiting process from after its own write: no two
// machines' clocks are compared. The fence's two limits stand in the pointer itself, so that those who wait and those who
// act always mean the same ones.
//
// What each step of a takeover relies on:
//
//	a planner takes the pointer          conditional PutObject: of two, one
//	a worker's view is younger than      the worker's own clock, taken before the GET was sent, whatever it was held up by since; looked
//	Fence.Cache                          at before each write
//	a write is sent within Fence.Attempt the deadline of its request, looked at once more right before the system call (bucket.Late): a
//	of that look                         process that is stopped between two lines and goes on much later sends nothing. What is left is a stop
//	                                     between this last look and the system call itself
//	a write that was sent is done, or    its deadline too, and the margin of Fence.Quiet: how long the bucket may work on a request whose client
//	never will be                        has gone
//	nobody acts any more                 the planner's own clock since its write of the pointer, or the pointer's age by the bucket's clock
//	late results of old tasks            the generation in each message: they count in the ledger of their own run
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

// Bucket is what the state needs of a bucket.
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
	// Scope names the environment in messages (messages.Scope). "" takes the messages of all.
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

// WriteFrom is Write of a body that need not be in memory. It is read from its start, perhaps several times.
func (s *Store) WriteFrom(ctx context.Context, name string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	etag, err := s.Bucket.PutObjectFrom(ctx, s.Layout.State()+name, body, cond)
	if err != nil {
		return "", fmt.Errorf("write %s%s: %w", s.Layout.State(), name, err)
	}
	return etag, nil
}

// Exists reports whether there is an object of that name, without reading it.
func (s *Store) Exists(ctx context.Context, name string) (bool, error) {
	key := s.Layout.State() + name
	page, err := bucket.List(ctx, s.Bucket, bucket.ListInput{Prefix: key, MaxKeys: 1, KeysOnly: true})
	return len(page.Objects) > 0 && page.Objects[0].Key == key, err
}

// ReadJSON reads an object of one JSON value into v. One that cannot be read as such is ErrDamaged.
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

// Update reads an object, lets change give its new body, and writes that on the condition that nobody else
// wrote meanwhile; when somebody did, it begins again. change gets nil where there is no object yet, and gives nil to
// leave things as they are. It must be a union or otherwise safe to apply twice: a write whose answer was lost is applied again.
//
// A store that refuses again and again although nobody writes, which only a broken one does, gets a few tries with growing
// pauses, and then the error.
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
		// A conditional write over an object that has been deleted answers 404.
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

// updateTries bounds the writes of one Update, whose pauses come to some 5 s.
const updateTries = 12

// Names lists what stands below a folder of the state, without that folder: names of objects and, ending in "/",
// of folders.
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
	seedName       = "seed.json" // what earlier releases kept of the settings
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
