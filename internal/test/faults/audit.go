package faults

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

// Audit is a Watcher that checks every write against the guarantees (DESIGN 2) at the moment of the
// write:
//
//   - Writes and deletions stay within the datasets and the program's own state, and a copy has the
//     frame's own image as its source.
//   - A frame that is in the datasets is always in at least one place, unless it may be deleted. No
//     task may request the deletion of its last copies.
//   - After the planner of a generation has listed the datasets, every write belongs to a task of
//     that generation or a newer one.
//   - A planner lists the datasets only when no worker can still act on the run before.
type Audit struct {
	Layout dataset.Layout
	Bucket string
	// OnPointer is called at each change of the pointer, before any later write or listing. It may
	// be nil, and it must not write.
	OnPointer func(state.Pointer)

	mu     sync.Mutex
	stands map[dataset.Frame]map[string]bool // keys
	mayGo  map[dataset.Frame]bool
	// Newest generation with a task that writes ("+") or deletes ("-") the key.
	asked      map[string]int64
	took       map[string]int64 // process → generation that the process read in the pointer
	listed     int64            // newest generation whose planner has listed the datasets
	pointer    pointerHistory
	violations []string
	tasks      map[string]int64 // body → generation, of all sent tasks
}

// NewAudit returns an Audit of a bucket without datasets.
func NewAudit(l dataset.Layout, bucket string) *Audit {
	return &Audit{
		Layout: l, Bucket: bucket, stands: map[dataset.Frame]map[string]bool{}, mayGo: map[dataset.Frame]bool{},
		asked: map[string]int64{}, took: map[string]int64{}, tasks: map[string]int64{}, pointer: pointerHistory{ends: map[string][]state.Pointer{}},
	}
}

// MayGo records that frames are no longer wanted, and may be deleted from now on.
func (a *Audit) MayGo(frames ...dataset.Frame) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range frames {
		a.mayGo[f] = true
	}
}

// Violations returns the violations so far, in words.
func (a *Audit) Violations() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.violations)
}

// Tasks returns the bodies of all tasks of a generation that were sent, each once.
func (a *Audit) Tasks(generation int64) (bodies []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for body, g := range a.tasks {
		if g == generation {
			bodies = append(bodies, body)
		}
	}
	return bodies
}

// Asked records the tasks before any worker can receive them.
func (a *Audit) Asked(q Request) {
	if q.Op != "SendMessageBatch" {
		return
	}
	var in struct {
		Entries []struct{ MessageBody string }
	}
	if json.Unmarshal(q.Body, &in) != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range in.Entries {
		t, err := messages.ParseTask(e.MessageBody)
		if err != nil {
			continue // results
		}
		a.tasks[e.MessageBody] = t.Gen
		if t.Op == messages.Delete && !a.mayGo[t.Frame] && a.leavesNothing(t) {
			a.violated(q, "generation %d asks to delete %s, which may not go", t.Gen, t.Frame)
		}
		a.asked["+"+t.Dst] = max(a.asked["+"+t.Dst], t.Gen)
		for _, key := range t.Del {
			a.asked["-"+key] = max(a.asked["-"+key], t.Gen)
		}
	}
}

// leavesNothing reports whether the task deletes the only copies of its frame.
func (a *Audit) leavesNothing(t messages.Task) bool {
	for key := range a.stands[t.Frame] {
		if !slices.Contains(t.Del, key) {
			return false
		}
	}
	return len(a.stands[t.Frame]) > 0
}

// Applied checks a write or a listing against the guarantees.
func (a *Audit) Applied(q Request, answer []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch q.Op {
	case "ListObjectsV2":
		if generation, ok := a.took[q.From]; ok && strings.HasPrefix(q.Target, a.Layout.ML()) {
			a.listed = max(a.listed, generation)
			if early := a.pointer.early(generation, time.Now()); early > 0 {
				a.violated(q, "generation %d lists the datasets %s before the workers of the run before must have stopped", generation, early)
			}
		}
	case "PutObject":
		a.put(q)
	case "CopyObject":
		a.copy(q)
	case "DeleteObject", "DeleteObjects":
		failed := keysIn(answer, "Error")
		for _, key := range q.Keys {
			if !slices.Contains(failed, key) {
				a.delete(q, key)
			}
		}
	}
}

func (a *Audit) violated(q Request, format string, args ...any) {
	a.violations = append(a.violations, fmt.Sprintf(format, args...)+": "+q.String())
}

func (a *Audit) put(q Request) {
	if !strings.HasPrefix(q.Target, a.Layout.State()) {
		a.violated(q, "a write outside %s", a.Layout.State())
		return
	}
	var p state.Pointer
	if q.Target != a.Layout.State()+"current.json" || json.Unmarshal(q.Body, &p) != nil {
		return
	}
	if p.State == state.Planning {
		a.took[q.From] = p.Generation
	}
	a.pointer.add(p, time.Now())
	if a.OnPointer != nil {
		a.OnPointer(p)
	}
}

func (a *Audit) copy(q Request) {
	_, f, ok := a.Layout.Parse(q.Target)
	if !ok {
		a.violated(q, "a copy to what is no frame's key under %s", a.Layout.ML())
		return
	}
	source, err := url.PathUnescape(q.Source)
	if key, in := strings.CutPrefix(source, a.Bucket+"/"); err != nil || !in || a.Layout.CheckSource(key, f) != nil {
		a.violated(q, "a copy of %s", q.Source)
	}
	a.current(q, "+"+q.Target)
	if a.stands[f] == nil {
		a.stands[f] = map[string]bool{}
	}
	a.stands[f][q.Target] = true
}

// doctorProbe is the prefix of the names that doctor writes and deletes to test its permissions:
// below ML/, where no object has it, and below the state.
const doctorProbe = "shuffle-doctor"

func (a *Audit) delete(q Request, key string) {
	if key == a.Layout.ML()+doctorProbe || strings.HasPrefix(key, a.Layout.State()+doctorProbe) {
		return
	}
	_, f, ok := a.Layout.Parse(key)
	if !ok {
		a.violated(q, "a deletion of %s, which is no frame's key under %s", key, a.Layout.ML())
		return
	}
	a.current(q, "-"+key)
	stood := len(a.stands[f])
	delete(a.stands[f], key)
	if stood > 0 && len(a.stands[f]) == 0 && !a.mayGo[f] {
		a.violated(q, "%s stands nowhere", f)
	}
}

// current reports whether the write belongs to a task of the generation that has listed the
// datasets, or of a later one.
func (a *Audit) current(q Request, write string) {
	if newest := a.asked[write]; newest < a.listed {
		a.violated(q, "%s was asked for by generation %d last, and generation %d has listed the datasets", write, newest, a.listed)
	}
}
