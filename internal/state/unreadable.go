package state

import (
	"context"
	"errors"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Unreadable is a line of unreadable.jsonl: a message that this program cannot read.
type Unreadable struct {
	ID     string `json:"id"`
	Queue  string `json:"queue"` // "results" or "dead letters"
	Reason string `json:"reason"`
	// Generation is that of the run that was in force at the receive; 0: there was none.
	Generation int64             `json:"generation"`
	Received   time.Time         `json:"received"` // by the tracker's clock
	Details    map[string]string `json:"attributes,omitempty"`
	Body       string            `json:"body"` // its first 64 KiB
}

// CountUnreadable counts the saved messages that no stage could read, since the run of a generation
// began. It compares generations, not times, because the clocks of planner and trackers may differ.
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
