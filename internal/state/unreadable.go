package state

import (
	"context"
	"errors"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Unreadable is a line of unreadable.jsonl: a message that is none of this program's.
type Unreadable struct {
	ID     string `json:"id"`
	Queue  string `json:"queue"` // "results" or "dead letters"
	Reason string `json:"reason"`
	// Generation of the run that was in force when it was received; 0: none was.
	Generation int64             `json:"generation"`
	Received   time.Time         `json:"received"` // by the tracker's clock
	Details    map[string]string `json:"attributes,omitempty"`
	Body       string            `json:"body"` // its first 64 KiB
}

// CountUnreadable counts the messages that no stage could read, from when the run of a generation began, of those that are kept. It goes
// by generations: planner and trackers have clocks of their own.
func (s *Store) CountUnreadable(ctx context.Context, generation int64) (n int, err error) {
	c, err := s.Read(ctx, UnreadableName)
	if errors.Is(err, bucket.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	all, _ := GoodLines[Unreadable](c.Body)
	for _, u := range all {
		if u.Generation >= generation {
			n++
		}
	}
	return n, nil
}
