package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// OtherEnvironment is an environment whose messages were received from this environment's queues.
// The two share the queues by mistake.
type OtherEnvironment struct {
	// Scope is its name (messages.Scope). It may equal this environment's own when two folders have
	// the same name.
	Scope string `json:"scope"`
	Queue string `json:"queue"` // where its last message was seen
	Run   string `json:"run"`   // of that message
	// Generation is of the run in force here at that time.
	Generation int64     `json:"generation"`
	Seen       time.Time `json:"seen"` // by the clock of the process that saw it
}

// maxEnvironments limits the list, because anyone who may send to the queues can invent scopes.
const maxEnvironments = 16

// NoteEnvironment saves that another environment's message was seen, so that status can report it.
func (s *Store) NoteEnvironment(ctx context.Context, seen OtherEnvironment) error {
	return s.Update(ctx, environmentsName, func(old []byte) ([]byte, error) {
		all := parseEnvironments(old)
		all = slices.DeleteFunc(all, func(e OtherEnvironment) bool { return e.Scope == seen.Scope })
		all = append(all, seen)
		all = all[max(0, len(all)-maxEnvironments):]
		body, err := json.MarshalIndent(all, "", " ")
		return append(bytes.TrimSpace(body), '\n'), err
	})
}

// OtherEnvironments lists the scopes whose messages were seen since the run of a generation began.
// Like CountUnreadable it compares generations, not times, because the clocks of planner, workers
// and trackers may differ.
func (s *Store) OtherEnvironments(ctx context.Context, generation int64) (scopes []string, err error) {
	c, err := s.Read(ctx, environmentsName)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range parseEnvironments(c.Body) {
		if e.Generation >= generation {
			scopes = append(scopes, e.Scope)
		}
	}
	slices.Sort(scopes)
	return scopes, nil
}

// parseEnvironments reads the list. A damaged list counts as empty. It only warns, so it must not
// block anything.
func parseEnvironments(body []byte) (all []OtherEnvironment) {
	if json.Unmarshal(body, &all) != nil {
		return nil
	}
	return all
}
