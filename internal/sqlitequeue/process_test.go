package sqlitequeue_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/sqlitequeue"
)

const (
	roleVariable = "SQLITEQUEUE_TEST_ROLE"
	fileVariable = "SQLITEQUEUE_TEST_FILE"

	roleOpener = "open"
	// Sends numbered messages for ever, and says "sent N" when N is confirmed.
	roleProducer = "produce"
	// Says "received BODY" and, when the delete is confirmed, "deleted BODY", for ever.
	roleConsumer = "consume"
)

var tasks = queue.Spec{Name: "tasks", VisibilityTimeout: time.Second}

// play is the life of a started process. It ends when it is killed, or with the pipe of its output.
func play(role, path string) int {
	ctx := context.Background()
	f, err := sqlitequeue.Open(path)
	if err == nil {
		err = f.Setup(ctx, tasks)
	}
	var q *sqlitequeue.Queue
	if err == nil {
		q, err = f.Queue(ctx, tasks.Name)
	}
	if err == nil {
		err = map[string]func(context.Context, *sqlitequeue.Queue) error{
			roleOpener: open, roleProducer: produce, roleConsumer: consume,
		}[role](ctx, q)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, role, err) //nolint:forbidigo // The test shows it.
		return 1
	}
	return 0
}

func open(context.Context, *sqlitequeue.Queue) error { return nil }

func say(verb, what string) error {
	_, err := fmt.Fprintln(os.Stdout, verb, what) //nolint:forbidigo // The test reads it.
	return err
}

func produce(ctx context.Context, q *sqlitequeue.Queue) error {
	for i := 0; ; i += 10 {
		var batch []queue.Entry
		for j := range 10 {
			batch = append(batch, queue.Entry{Body: fmt.Sprintf("%d-%d", os.Getpid(), i+j)})
		}
		if failed, err := q.SendMessageBatch(ctx, batch); err != nil || len(failed) > 0 {
			return fmt.Errorf("send: %v %w", failed, err)
		}
		for _, e := range batch {
			if err := say("sent", e.Body); err != nil {
				return err
			}
		}
	}
}

func consume(ctx context.Context, q *sqlitequeue.Queue) error {
	for {
		messages, err := q.ReceiveMessage(ctx, queue.MaxBatch, time.Second)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if err := say("received", m.Body); err != nil {
				return err
			}
			failed, err := q.DeleteMessageBatch(ctx, []string{m.Receipt})
			if err != nil {
				return err
			}
			if len(failed) > 0 {
				continue // It took longer than the visibility timeout; another has it now.
			}
			if err := say("deleted", m.Body); err != nil {
				return err
			}
		}
	}
}

// process is a running one.
type process struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func start(t *testing.T, role, path string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, fileVariable+"="+path)
	cmd.Stderr = os.Stderr //nolint:forbidigo // What a process says of its end.
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &process{cmd, bufio.NewScanner(out)}
}

// killAfter reads a number of lines, kills the process with SIGKILL, and reads the rest of its
// output.
func (p *process) killAfter(lines int, heard func(verb, what string)) error {
	for n := 0; p.lines.Scan(); n++ {
		if verb, what, ok := strings.Cut(p.lines.Text(), " "); ok {
			heard(verb, what)
		}
		if n == lines {
			if err := p.cmd.Process.Kill(); err != nil {
				return err
			}
		}
	}
	_ = p.cmd.Wait() // The state says more than its error.
	if p.cmd.ProcessState.ExitCode() != -1 {
		return fmt.Errorf("process ended by itself: %s", p.cmd.ProcessState)
	}
	return nil
}

// witness checks what the processes say: nothing confirmed as deleted is received again.
type witness struct {
	mu                      sync.Mutex
	sent, received, deleted map[string]bool
	resurrected             []string
}

func (w *witness) hear(verb, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch verb {
	case "sent":
		w.sent[what] = true
	case "received":
		w.received[what] = true
		if w.deleted[what] {
			w.resurrected = append(w.resurrected, what)
		}
	case "deleted":
		w.deleted[what] = true
	}
}

// TestKilledProcesses: producers and consumers share the file, each is killed again and again in
// the middle of its work, and in the end every confirmed message has been received, none after its
// confirmed delete, and none is stuck.
func TestKilledProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "queues.db")
	q := openQueue(t, path, tasks)
	w := &witness{sent: map[string]bool{}, received: map[string]bool{}, deleted: map[string]bool{}}
	var g errgroup.Group
	for _, role := range []string{roleProducer, roleProducer, roleConsumer, roleConsumer} {
		g.Go(func() error {
			for life := range 4 {
				if err := start(t, role, path).killAfter(150+life*37, w.hear); err != nil {
					return fmt.Errorf("%s: %w", role, err)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	drain(t, q, w)
	for body := range w.sent {
		if !w.received[body] {
			t.Errorf("message %s is lost", body)
		}
	}
	if len(w.resurrected) > 0 {
		t.Errorf("received after the confirmed delete: %v", w.resurrected)
	}
	if len(w.sent) == 0 || len(w.deleted) == 0 {
		t.Errorf("%d sent, %d deleted: the processes did nothing", len(w.sent), len(w.deleted))
	}
}

// drain takes what is left, until nothing has come for longer than the visibility timeout.
func drain(t *testing.T, q *sqlitequeue.Queue, w *witness) {
	t.Helper()
	for {
		messages, err := q.ReceiveMessage(t.Context(), queue.MaxBatch, 2*tasks.VisibilityTimeout)
		if err != nil {
			t.Fatal(err)
		}
		if len(messages) == 0 {
			break
		}
		for _, m := range messages {
			w.hear("received", m.Body)
			remove(t, q, []string{m.Receipt})
		}
	}
	if a, err := q.GetQueueAttributes(t.Context()); err != nil || a.Visible+a.InFlight > 0 {
		t.Errorf("left in the queue: %+v, error %v", a, err)
	}
}

// TestOpenAtOnce: processes that find no file all make it.
func TestOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "queues.db")
	var processes []*process
	for range 6 {
		processes = append(processes, start(t, roleOpener, path))
	}
	for i, p := range processes {
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("process %d: %v", i, err)
		}
	}
}

// TestWritersWait: writers wait for each other; none is refused because the file is busy.
func TestWritersWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queues.db")
	const files, each = 4, 50
	var g errgroup.Group
	for i := range files {
		q := openQueue(t, path, tasks)
		g.Go(func() error {
			for j := range each {
				failed, err := q.SendMessageBatch(t.Context(), []queue.Entry{{Body: strconv.Itoa(i*each + j)}})
				if err != nil || len(failed) > 0 {
					return fmt.Errorf("send: %v %w", failed, err)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	a, err := openQueue(t, path, tasks).GetQueueAttributes(t.Context())
	if err != nil || a.Visible != files*each {
		t.Errorf("%+v, error %v; want %d messages", a, err, files*each)
	}
}
