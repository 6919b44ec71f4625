package tracker

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/state"
)

const (
	// troubleEvery is how often a tracker that cannot go on writes the reason into the pointer.
	troubleEvery = time.Minute
	maxTrouble   = 500 // bytes of it
)

// notes is what a session remembers of its notes for people.
type notes struct {
	trouble      time.Time // writeTrouble: when it last wrote one
	environments time.Time // writeOtherEnvironments: when it last wrote them
	takeover     bool      // readPointer: its first read found a run in verifying; writeTakeover clears it
}

// writeTrouble writes into the pointer, for status and for the next planner, why the run cannot go
// on. It may fail: the log has the error too.
func (s *session) writeTrouble(ctx context.Context, trouble error) {
	doing := map[state.State]string{state.Running: "count the results", state.Verifying: "verify"}[s.run.pointer.State]
	if doing == "" || time.Since(s.notes.trouble) < troubleEvery && s.run.pointer.Note != "" {
		return
	}
	s.notes.trouble = time.Now()
	s.writeNote(ctx, "the tracker cannot "+doing+": "+clip(trouble.Error(), maxTrouble)+"; it tries again; shuffle doctor shows what to fix")
}

// writeTakeover notes that this tracker, which has just started, found a run in verifying: another
// tracker began to verify it and did not come to the end. When that happens again and again, the
// verification kills trackers, perhaps for lack of memory.
func (s *session) writeTakeover(ctx context.Context) {
	if !s.notes.takeover {
		return
	}
	s.notes.takeover = false
	s.writeNote(ctx, "a tracker ended before it had verified the run, and another one verifies it since "+now().Format(time.DateTime)+
		" UTC; if this comes again and again, see the tracker's log and its memory")
}

// clearNote removes the note when the run goes on. The end of a verification changes the state,
// which clears the note by itself.
func (s *session) clearNote(ctx context.Context) {
	if s.run.pointer.State == state.Running && s.run.pointer.Note != "" {
		s.writeNote(ctx, "")
	}
}

// writeNote changes the pointer's note, which decides nothing for other processes. So the run is
// not adopted anew.
func (s *session) writeNote(ctx context.Context, text string) {
	next := s.run.pointer.Pointer
	next.Note = text
	pointer, err := s.Store.Swap(ctx, s.run.pointer, next)
	switch {
	case err == nil:
		s.run.pointer, s.runs.pointer = pointer, pointer.Pointer
	case !errors.Is(err, state.ErrConflict): // a conflict: another process goes on with the run
		s.log().Debug("cannot write the note into the pointer", zap.Error(err))
	}
}
