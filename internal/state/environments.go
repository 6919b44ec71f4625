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

// OtherEnvironment is one whose messages came on this environment's queues: the two share them by mistake.
type OtherEnvironment struct {
	// Scope is its name (messages.Scope). It may equal this environment's own, when two folders have one name.
	Scope string `json:"scope"`
	Queue string `json:"queue"` // where its last message was seen
	Run   string `json:"run"`   // of that message
	// Generation is of the run in force here at that time.
	Generation int64     `json:"generation"`
	Seen       time.Time `json:"seen"` // by the clock of the process that saw it
}

// maxEnvironments bounds the list: anybody who may send to the queues can name scopes.
const maxEnvironments = 16

// NoteEnvironment keeps that another environment's message was seen, so that status can say so.
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

// OtherEnvironments lists the scopes whose messages were seen since the run of a generation began. Like CountUnreadable
// it goes by generations, for planner, workers and trackers have clocks of their own.
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

// parseEnvironments reads the list. A damaged one counts as empty: it is a warning only, and must hold up nothing.
func parseEnvironments(body []byte) (all []OtherEnvironment) {
	if json.Unmarshal(body, &all) != nil {
		return nil
	}
	return all
}
