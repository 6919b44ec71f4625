package tracker

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

const (
	// troubleEvery is how often a tracker that cannot go on writes why into the pointer.
	troubleEvery = time.Minute
	maxTrouble   = 500 // bytes of it
	// awakeEvery is how often a tracker with an active run sends a message to the results queue. A
	// message comes back each time its visibility timeout ends, a minute, and a queue gives one up
	// that was received too often: the stack's after 50 times.
	awakeEvery = 10 * time.Minute
)

// noteTrouble writes into the pointer, for status and for the next planner, why the run cannot go
// on. It may fail: then the log has it.
func (s *session) noteTrouble(ctx context.Context, trouble error) {
	doing := map[state.State]string{state.Running: "count the results", state.Verifying: "verify"}[s.pointer.State]
	if doing == "" || time.Since(s.troubled) < troubleEvery && s.pointer.Note != "" {
		return
	}
	s.troubled = time.Now()
	s.note(ctx, "the tracker cannot "+doing+": "+clip(trouble.Error(), maxTrouble)+"; it tries again; shuffle doctor says what to fix")
}

// noteTakeover says that this tracker, which has just started, found a run in verifying: another
// one began to verify it and did not come to the end. When that happens again and again, it dies of
// the verification, perhaps by want of memory.
func (s *session) noteTakeover(ctx context.Context) {
	if !s.found {
		return
	}
	s.found = false
	s.note(ctx, "a tracker ended before it had verified the run, and another one verifies it since "+now().Format(time.DateTime)+
		" UTC; if this comes again and again, see the tracker's log and its memory")
}

// clearNote takes the note away when the run goes on. The end of a verification changes the state,
// which does it by itself.
func (s *session) clearNote(ctx context.Context) {
	if s.pointer.State == state.Running && s.pointer.Note != "" {
		s.note(ctx, "")
	}
}

// note changes the pointer's note, and nothing that other processes go by.
func (s *session) note(ctx context.Context, text string) {
	next := s.pointer.Pointer
	next.Note = text
	pointer, err := s.Store.Swap(ctx, s.pointer, next)
	switch {
	case err == nil:
		s.pointer = pointer
		s.runs.held = pointer.Pointer
	case !errors.Is(err, state.ErrConflict): // else another process goes on with the run
		s.log().Debug("cannot write the note into the pointer", zap.Error(err))
	}
}

// keepAwake has a message of its own on the results queue while a run is active, whether the run
// goes on or not. Where the queues' metrics decide whether a tracker runs, a run that cannot end
// would otherwise be left alone.
//
// The message is a probe, which every tracker acknowledges, but for the one that has sent it: that
// leaves it in flight (see fold.awake) until it sends the next one, or no run is active. When the
// tracker dies the message becomes visible, and wakes another one.
func (s *session) keepAwake(ctx context.Context) {
	if s.Awake == nil || !s.pointer.State.Active() || time.Since(s.awakened) < awakeEvery {
		return
	}
	s.awakened, s.awake = time.Now(), messages.EncodeProbe("awake-"+rand.Text())
	if err := queue.SendAll(ctx, s.Awake, []queue.Entry{{Body: s.awake}}); err != nil {
		s.log().Warn("cannot send the message that keeps this tracker awake", zap.String("run", s.pointer.Run), zap.Error(err))
	}
}

// awakeMessage is the body of the message that is not acknowledged; "" when there is none.
func (s *session) awakeMessage() string {
	if !s.pointer.State.Active() {
		return ""
	}
	return s.awake
}
