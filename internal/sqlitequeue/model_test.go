package sqlitequeue_test

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
)

// modelMessage is a message as the model has it. It is in the queue "dead" when dead is set.
type modelMessage struct {
	body      string
	dead      bool
	received  int
	visibleAt time.Time
	receipt   string // of the last receive, since the move if there was one
}

// model is a queue with a dead-letter queue, in a few lines: what any sequence of calls must agree
// with.
type model struct {
	visibility map[bool]time.Duration
	maxCount   int
	messages   []*modelMessage // oldest first
}

// due is the visible messages of a queue, in the order in which they became visible.
func (m *model) due(dead bool) (due []*modelMessage) {
	for _, message := range m.messages {
		if message.dead == dead && !message.visibleAt.After(time.Now()) {
			due = append(due, message)
		}
	}
	slices.SortStableFunc(due, func(a, b *modelMessage) int { return a.visibleAt.Compare(b.visibleAt) })
	return due
}

// receive is the messages that a receive gives, by their bodies: of the oldest ones those that were
// not received too often.
func (m *model) receive(dead bool, limit int) (got map[string]*modelMessage) {
	got = make(map[string]*modelMessage)
	for len(got) == 0 {
		due := m.due(dead)
		if len(due) == 0 {
			return got
		}
		taken := due[:min(limit, len(due))]
		slices.SortFunc(taken, m.compareSent)
		for _, message := range taken {
			if !dead && message.received == m.maxCount {
				m.moveToDead(message)
				continue
			}
			message.received++
			message.visibleAt = time.Now().Add(m.visibility[dead])
			got[message.body] = message
		}
	}
	return got
}

// compareSent is the order in which messages came to their queue.
func (m *model) compareSent(a, b *modelMessage) int {
	return cmp.Compare(slices.Index(m.messages, a), slices.Index(m.messages, b))
}

func (m *model) moveToDead(message *modelMessage) {
	message.dead, message.visibleAt, message.receipt = true, time.Now(), ""
	i := slices.Index(m.messages, message)
	m.messages = append(slices.Delete(m.messages, i, i+1), message)
}

// holder is the message of a queue that has had the receipt; nil when it is gone from there.
func (m *model) holder(dead bool, body string) *modelMessage {
	for _, message := range m.messages {
		if message.dead == dead && message.body == body {
			return message
		}
	}
	return nil
}

// given is a receipt that some receive has given.
type given struct {
	dead          bool
	body, receipt string
}

// machine runs the same calls on the model and on the file.
type machine struct {
	model
	queues   map[bool]*sqlitequeue.Queue
	receipts []given
	sent     int
}

func (m *machine) Send(t *rapid.T) {
	batch := make([]queue.Entry, rapid.IntRange(1, queue.MaxBatch).Draw(t, "entries"))
	for i := range batch {
		batch[i].Body = fmt.Sprint(m.sent)
		m.sent++
		m.messages = append(m.messages, &modelMessage{body: batch[i].Body, visibleAt: time.Now()})
	}
	failed, err := m.queues[false].SendMessageBatch(t.Context(), batch)
	if err != nil || len(failed) > 0 {
		t.Fatal(failed, err)
	}
}

func (m *machine) Receive(t *rapid.T) {
	dead, limit := rapid.Bool().Draw(t, "dead"), rapid.IntRange(1, queue.MaxBatch).Draw(t, "limit")
	want := m.receive(dead, limit)
	got, err := m.queues[dead].ReceiveMessage(t.Context(), limit, 0)
	if err != nil || len(got) != len(want) {
		t.Fatalf("received %+v, error %v; want %d messages", got, err, len(want))
	}
	for _, message := range got {
		w := want[message.Body]
		if w == nil || message.ReceiveCount != w.received {
			t.Fatalf("received %+v, want %+v", message, w)
		}
		w.receipt = message.Receipt
		m.receipts = append(m.receipts, given{dead, message.Body, message.Receipt})
	}
}

func (m *machine) Delete(t *rapid.T) {
	g := m.drawReceipt(t)
	want := ""
	if holder := m.holder(g.dead, g.body); holder != nil && holder.receipt != g.receipt {
		want = "ReceiptHandleIsInvalid"
	} else if holder != nil {
		i := slices.Index(m.messages, holder)
		m.messages = slices.Delete(m.messages, i, i+1)
	}
	failed, err := m.queues[g.dead].DeleteMessageBatch(t.Context(), []string{g.receipt})
	m.check(t, failed, err, want)
}

func (m *machine) Change(t *rapid.T) {
	g := m.drawReceipt(t)
	timeout := time.Duration(rapid.IntRange(0, 8).Draw(t, "seconds")) * time.Second
	want := ""
	switch holder := m.holder(g.dead, g.body); {
	case holder == nil:
		want = "InvalidParameterValue"
	case holder.receipt != g.receipt:
		want = "ReceiptHandleIsInvalid"
	case !holder.visibleAt.After(time.Now()):
		want = "AWS.SimpleQueueService.MessageNotInflight"
	default:
		holder.visibleAt = time.Now().Add(timeout)
	}
	failed, err := m.queues[g.dead].ChangeMessageVisibilityBatch(t.Context(), []string{g.receipt}, timeout)
	m.check(t, failed, err, want)
}

func (m *machine) Wait(t *rapid.T) {
	<-time.After(time.Duration(rapid.IntRange(1, 40).Draw(t, "tenths")) * 100 * time.Millisecond)
}

func (m *machine) drawReceipt(t *rapid.T) given {
	if len(m.receipts) == 0 {
		t.Skip("nothing received yet")
	}
	return rapid.SampledFrom(m.receipts).Draw(t, "receipt")
}

func (m *machine) check(t *rapid.T, failed []queue.Failure, err error, code string) {
	if err != nil || (code == "") != (len(failed) == 0) || (code != "" && failed[0].Code != code) {
		t.Fatalf("failures %+v, error %v; want code %q", failed, err, code)
	}
}

// Check compares the counts after each step.
func (m *machine) Check(t *rapid.T) {
	for dead, q := range m.queues {
		all := 0
		for _, message := range m.messages {
			if message.dead == dead {
				all++
			}
		}
		visible := len(m.due(dead))
		if a, err := q.GetQueueAttributes(t.Context()); err != nil || a.Visible != visible || a.InFlight != all-visible {
			t.Fatalf("%+v, error %v; want %d visible and %d in flight", a, err, visible, all-visible)
		}
	}
}

func newMachine(t *testing.T, f *sqlitequeue.File, n int) *machine {
	dead := queue.Spec{Name: fmt.Sprint("dead-", n), VisibilityTimeout: 2 * time.Second}
	tasks := queue.Spec{
		Name: fmt.Sprint("tasks-", n), VisibilityTimeout: 3 * time.Second, MaxReceiveCount: 2, DeadLetterQueue: dead.Name,
	}
	m := &machine{queues: make(map[bool]*sqlitequeue.Queue)}
	m.visibility = map[bool]time.Duration{false: tasks.VisibilityTimeout, true: dead.VisibilityTimeout}
	m.maxCount = tasks.MaxReceiveCount
	for _, spec := range []queue.Spec{dead, tasks} {
		if err := f.Setup(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		m.queues[spec.Name == dead.Name] = named(t, f, spec.Name)
	}
	return m
}

// TestModel: whatever is called, in whatever order and at whatever time, with receipts new and old,
// the file does what the model does.
func TestModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := openFile(t, filepath.Join(t.TempDir(), "queues.db"))
		n := 0
		// As another type, since rapid asks a *testing.T for its deadline, which it has not in
		// synctest's bubble.
		rapid.Check(struct{ testing.TB }{t}, func(rt *rapid.T) {
			n++
			rt.Repeat(rapid.StateMachineActions(newMachine(t, f, n)))
		})
	})
}
