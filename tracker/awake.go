package tracker

import (
	"context"
	"crypto/rand"
	"time"

	"go.uber.org/zap"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/messages"
)

// awakeEvery is how often a tracker with an active run sends a message to the results queue. A
// message comes back each time its visibility timeout ends, a minute, and a queue gives up a
// message that was received too often: the stack's after 50 times.
const awakeEvery = 10 * time.Minute

// wakeMessage is the message by which a tracker keeps its service running.
type wakeMessage struct {
	body string
	sent time.Time
}

// keepAwake keeps a message of this tracker on the results queue while a run is active, also when
// the run cannot go on. Where the queues' metrics decide whether a tracker runs, a run that cannot
// end would otherwise be left without one.
//
// The message is a probe. Every other tracker acknowledges it. The one that has sent it leaves it
// in flight (see fold.awake) until it sends the next one, or no run is active. When the tracker
// dies the message becomes visible, and starts another one.
func (s *session) keepAwake(ctx context.Context) {
	if s.Awake == nil || !s.run.pointer.State.Active() || time.Since(s.awake.sent) < awakeEvery {
		return
	}
	s.awake = wakeMessage{body: messages.EncodeProbe("awake-" + rand.Text()), sent: time.Now()}
	if err := queue.SendAll(ctx, s.Awake, []queue.Entry{{Body: s.awake.body}}); err != nil {
		s.log().Warn("cannot send the message that keeps this tracker awake", zap.String("run", s.run.pointer.Run), zap.Error(err))
	}
}
