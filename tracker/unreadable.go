package tracker

import (
	"context"
	"slices"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Bounds of unreadable.jsonl: every sender to the queues can fill it.
const (
	maxUnreadable      = 1000     // messages, the newest
	maxUnreadableBody  = 64 << 10 // bytes kept of one
	maxUnreadableBytes = 8 << 20  // of all bodies together
)

// Where an unreadable message came from.
const (
	fromResults     = "results"
	fromDeadLetters = "dead letters"
)

func newUnreadable(from string, m queue.Message, reason string) state.Unreadable {
	if given := m.Attributes[messages.AttrReason]; given != "" {
		reason = given + " (the tracker: " + reason + ")"
	}
	u := state.Unreadable{
		ID: m.ID, Queue: from, Reason: clip(reason, maxReason), Received: now(), Body: clip(m.Body, maxUnreadableBody),
	}
	for _, name := range []string{messages.AttrCode, messages.AttrAttempts, messages.AttrWorker} {
		if v := m.Attributes[name]; v != "" {
			if u.Details == nil {
				u.Details = map[string]string{}
			}
			u.Details[name] = clip(v, maxCode)
		}
	}
	return u
}

// addUnreadable adds messages that are not among the old ones, and keeps the newest.
func addUnreadable(old, more []state.Unreadable) (all, added []state.Unreadable) {
	known := map[string]bool{}
	for _, u := range old {
		known[u.ID] = true
	}
	for _, u := range more {
		if !known[u.ID] {
			known[u.ID] = true
			added = append(added, u)
		}
	}
	all = slices.Concat(old, added)
	all = all[max(0, len(all)-maxUnreadable):]
	size := 0
	for i, u := range slices.Backward(all) {
		if size += len(u.Body); size > maxUnreadableBytes {
			return all[i+1:], added
		}
	}
	return all, added
}

// saveUnreadable saves messages that no stage can read, and logs each of them once.
func (s *session) saveUnreadable(ctx context.Context, more []state.Unreadable) error {
	if len(more) == 0 {
		return nil
	}
	for i := range more {
		more[i].Generation = s.run.pointer.Generation
	}
	var added []state.Unreadable
	err := s.Store.Update(ctx, state.UnreadableName, func(body []byte) ([]byte, error) {
		old, bad := state.GoodLines[state.Unreadable](body)
		if bad > 0 {
			s.log().Warn("lines of "+state.UnreadableName+" are damaged and left out", zap.Int("lines", bad))
		}
		var all []state.Unreadable
		if all, added = addUnreadable(old, more); len(added) == 0 {
			return nil, nil
		}
		return encodeLines(all)
	})
	if err != nil {
		return err
	}
	for _, u := range added {
		s.log().Warn("unreadable message, kept in "+s.Store.Layout.State()+state.UnreadableName,
			zap.String("run", s.run.pointer.Run), zap.String("id", u.ID), zap.String("queue", u.Queue), zap.String("reason", u.Reason))
	}
	return nil
}
