package faults_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/faults"
)

// hand is an action of a person on an object of the state, at a request or, where there is no
// front, after a time.
type hand struct {
	object string // "RUN" is the run in force, "GEN" the latest version's generation
	how    string
	point
	nth   int
	after time.Duration
}

var touchable = []string{
	"current.json", "settings.json", "runs/RUN/plan.json", "runs/RUN/tasks-00000.jsonl.zst", "runs/RUN/expected-S01E01.jsonl.zst",
	"runs/RUN/ledger.json", "runs/RUN/dead.jsonl", "runs/RUN/report.json", "runs/RUN/published.json", "versions/latest.json",
	"versions/GEN/version.json", "versions/GEN/snapshot.jsonl.zst", "versions/GEN/train.csv", "versions/tags.json", "unreadable.jsonl",
}

var ways = []string{"deleted", "emptied", "cut short", "flipped", "replaced"}

// whens are points in the middle of the steps of a run.
var whens = []point{
	{"plan", "SendMessageBatch", "", 4}, {"w", "CopyObject", "", 30}, {"w", "GetObject", "current.json", 4}, {"t", "PutObject", "ledger.json", 2},
	{"t", "ListObjectsV2", "ML/", 8}, {"t", "PutObject", "report.json", 1}, {"t", "PutObject", "versions/", 3},
}

// folderWays are actions of a person on the folder of the embedded default.
var folderWays = []string{"read-only for a while", "removed for a while", "made again", "queues.db deleted", "queues.db damaged"}

// drawHands draws actions of people on the state, and services that fail for a long time, from a
// random source of its own.
func (s *schedule) drawHands(r *rand.Rand) {
	objects := []string{"current.json", "settings.json", "plan.json", "ledger.json", "report.json", "tasks-00000", "latest.json", "expected-"}
	for i := range s.rounds {
		n := &s.rounds[i]
		for range r.IntN(3) {
			w := whens[r.IntN(len(whens))]
			n.hands = append(n.hands, hand{touchable[r.IntN(len(touchable))], ways[r.IntN(len(ways))], w, 1 + r.IntN(w.most), time.Duration(r.IntN(4000)) * time.Millisecond})
		}
		if chance(r, 3) {
			n.missed = append(n.missed, missed{objects[r.IntN(len(objects))], 1 + r.IntN(6)})
		}
		if chance(r, 6) {
			n.away = 15*time.Second + time.Duration(r.IntN(60))*time.Second
		}
		if chance(r, 6) {
			n.refused = 10 + r.IntN(30)
		}
		if chance(r, 6) {
			n.junk = 1 + r.IntN(60)
		}
		if chance(r, 8) {
			n.foreign = true
		}
	}
	if chance(r, 4) {
		s.noise = append(s.noise, faults.Rule{Kind: faults.Slow, Op: "PutObject", Target: "report.html", Share: 0.8, Delay: 7 * time.Second})
		s.trackers = 2
	}
}

// drawFolder draws actions of people on the folder, and on single objects in it.
func (s *schedule) drawFolder(r *rand.Rand) {
	for i := range s.rounds {
		n := &s.rounds[i]
		soon := func() time.Duration { return time.Duration(r.IntN(4000)) * time.Millisecond }
		for range r.IntN(3) {
			n.hands = append(n.hands, hand{object: touchable[r.IntN(len(touchable))], how: ways[r.IntN(len(ways))], after: soon()})
		}
		if chance(r, 2) {
			n.folder, n.foldered = folderWays[r.IntN(len(folderWays))], soon()
		}
		if chance(r, 6) {
			n.junk = 1 + r.IntN(60)
		}
	}
}

// missed is a single answer that an object does not exist, although it does.
type missed struct {
	object string
	nth    int
}

// comesWithin is the number of times that a hand looks for an object that does not exist yet.
const comesWithin = 200

// armHands prepares the actions of people and services.
func (p *player) armHands(r round) {
	for _, h := range r.hands {
		p.at(faults.Rule{From: h.from, Op: h.op, Target: h.target, First: h.nth}, h.after, func(faults.Request) {
			done, err := p.touch(p.ctx, h)
			// The time alone may be too early.
			for n := 0; p.site == local && !done && err == nil && n < comesWithin; n++ {
				wait(p.ctx, 50*time.Millisecond)
				done, err = p.touch(p.ctx, h)
			}
			if err != nil && p.ctx.Err() == nil {
				p.broke(fmt.Errorf("%s %s: %w", h.object, h.how, err))
			}
		})
	}
	for _, m := range r.missed {
		p.front.Add(faults.Rule{Kind: faults.NotFound, Target: m.object, First: m.nth})
	}
	if r.away > 0 {
		p.at(faults.Rule{From: "w", Op: "CopyObject", First: 5}, 0, func(faults.Request) {
			p.front.Add(faults.Rule{Kind: faults.Outage, First: 1, Times: -1})
			p.later(r.away, func() { p.front.End(faults.Outage) })
		})
	}
	if r.refused > 0 {
		p.front.Add(faults.Rule{Kind: faults.Precondition, Op: "PutObject", Target: "ledger.json", First: 2, Times: r.refused})
	}
	if r.foreign {
		p.front.Add(faults.Rule{Kind: faults.Foreign, Op: "ListObjectsV2", First: 2, Times: 3})
	}
	if r.junk > 0 {
		p.at(faults.Rule{From: "w", Op: "CopyObject", First: 3}, time.Second, func(faults.Request) { p.spam(r.junk) })
	}
	if r.folder != "" {
		p.later(r.foldered, func() {
			if err := p.handle(r.folder); err != nil {
				p.broke(fmt.Errorf("%s: %w", r.folder, err))
			}
		})
	}
}

// spam sends foreign messages to all queues.
func (w *world) spam(n int) {
	for name, q := range w.queues {
		for i := range n {
			_, err := q.SendMessageBatch(w.ctx, []queue.Entry{{Body: fmt.Sprintf(`{"v":1,"hello":%d}`, i)}})
			if err != nil && w.ctx.Err() == nil && !w.hands() {
				w.broke(fmt.Errorf("send junk to %s: %w", name, err))
			}
		}
		w.front.Did(faults.Junk, name)
	}
}

// touch does the hand's action on an object of the state, directly, if the object exists. It keeps
// the old content for restore.
func (w *world) touch(ctx context.Context, h hand) (done bool, err error) {
	pointer, err := w.store.Current(ctx, state.PointerSnapshot{})
	if err != nil {
		return false, nil //nolint:nilerr // It is damaged already, or the folder is missing.
	}
	v, err := w.store.LatestVersion(ctx)
	if err != nil && strings.Contains(h.object, "GEN") || !pointer.Exists() {
		return false, nil
	}
	name := strings.NewReplacer("RUN", pointer.Run, "GEN", fmt.Sprint(v.Generation)).Replace(h.object)
	c, err := w.store.Read(ctx, name)
	if err != nil {
		return false, nil //nolint:nilerr // There is nothing to touch.
	}
	key, body := w.layout().State()+name, bytes.Clone(c.Body)
	switch how := h.how; {
	case how == "emptied":
		body = []byte{}
	case how == "flipped" && len(body) > 0:
		body[len(body)/2] ^= 0x10
	case how == "replaced" && strings.Contains(h.object, "RUN") && w.ofEarlier(ctx, h.object, pointer.Run, &body):
	case how != "deleted":
		body = body[:len(body)/2]
	}
	run := ""
	if strings.Contains(h.object, "RUN") || name == "current.json" {
		run = pointer.Run
	}
	w.did(name+" "+h.how, run)
	w.mu.Lock()
	if _, known := w.before[key]; !known {
		w.before[key] = c.Body
	}
	w.mu.Unlock()
	if h.how == "deleted" {
		_, err = w.bucket.DeleteObjects(ctx, []string{key})
		return true, err
	}
	_, err = w.bucket.PutObject(ctx, key, body, bucket.Condition{})
	return true, err
}

// ofEarlier reads the same object of an earlier run, and reports whether there is one.
func (w *world) ofEarlier(ctx context.Context, object, run string, body *[]byte) bool {
	runs, err := w.store.Runs(ctx)
	if err != nil {
		return false
	}
	for _, other := range runs {
		if c, err := w.store.Read(ctx, strings.ReplaceAll(object, "RUN", other)); err == nil && other != run {
			*body = c.Body
			return true
		}
	}
	return false
}

// restore writes the touched objects back as they were before.
func (w *world) restore(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all error
	for key, body := range w.before {
		if strings.HasSuffix(key, "/current.json") {
			continue // which has changed again since
		}
		_, err := w.bucket.PutObject(ctx, key, body, bucket.Condition{})
		all = errors.Join(all, err)
	}
	return all
}

// handle does an action on the folder of the embedded default. No sheet is edited meanwhile.
func (w *world) handle(how string) error {
	w.editing.Lock()
	defer w.editing.Unlock()
	pointer, err := w.store.Current(w.ctx, state.PointerSnapshot{})
	if err != nil {
		return nil // the pointer is damaged: the operator repairs it
	}
	w.did("the folder: "+how, pointer.Run)
	switch how {
	case "queues.db deleted":
		return w.removeQueueFile()
	case "queues.db damaged":
		return w.recoverQueueFile()
	case "read-only for a while":
		return w.readOnly()
	}
	away := w.own("") + ".away"
	if err := os.Rename(w.own(""), away); err != nil {
		return err
	}
	wait(w.ctx, 4*time.Second)
	if how == "removed for a while" {
		return os.Rename(away, w.own(""))
	}
	for _, part := range []string{"bucket", "sheets"} { // the queues are lost
		if err := os.CopyFS(filepath.Join(away+".copy", part), os.DirFS(filepath.Join(away, part))); err != nil {
			return err
		}
	}
	return errors.Join(os.Rename(away+".copy", w.own("")), os.RemoveAll(away))
}

// recoverQueueFile damages the file. Later a person types a command that needs it, and follows the
// command's advice.
func (w *world) recoverQueueFile() error {
	if err := w.damageQueueFile(); err != nil {
		return err
	}
	wait(w.ctx, 3*time.Second)
	t, err := w.types(w.ctx, "setup")
	if err == nil && t.code != 0 && !strings.Contains(t.said, "queues.db is damaged") && w.ctx.Err() == nil {
		err = fmt.Errorf("setup at a damaged queues.db does not say what to do: %s", t)
	}
	if err == nil && t.code != 0 {
		w.followAdvice(w.ctx, t.said)
		_, err = w.types(w.ctx, "setup")
	}
	return err
}

func (w *world) damageQueueFile() error {
	for _, ending := range []string{"-wal", "-shm", ""} {
		f, err := os.OpenFile(w.own("queues.db")+ending, os.O_WRONLY, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		_, err = f.WriteAt(bytes.Repeat([]byte("no database "), 700), 0)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// readOnly removes the permission to write from the folder and everything in it. A service that is
// started meanwhile also finds it read-only.
func (w *world) readOnly() error {
	modes := map[string]fs.FileMode{}
	err := filepath.WalkDir(w.own(""), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() && !strings.HasPrefix(e.Name(), "queues.db") {
			return nil //nolint:nilerr // It was deleted meanwhile.
		}
		info, err := e.Info()
		if err == nil {
			modes[path] = info.Mode().Perm()
			err = os.Chmod(path, info.Mode().Perm()&^0o222)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	w.kill("w1")
	w.kill("t1")
	wait(w.ctx, 6*time.Second)
	for path, mode := range modes {
		if back := os.Chmod(path, mode); back != nil && !errors.Is(back, fs.ErrNotExist) {
			err = errors.Join(err, back)
		}
	}
	return err
}
