package worlds

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// trace identifies the state of a world by its history. Two schedules lead to the same world when
// two things are equal: the same calls got the same answers at the same times, and each process
// made its own calls in the same order. The order between different processes does not matter
// (Mazurkiewicz). Then their traces are equal.
type trace struct {
	sum  uint64            // of all steps, in any order
	last map[string]uint64 // the last step of a process, object or queue
}

// addStep adds a step.
func (t *trace) addStep(l line) {
	if t.last == nil {
		t.last = map[string]uint64{}
	}
	c, h := l.call, fnv.New64a()
	note := func(what ...any) { _, _ = fmt.Fprintln(h, what...) } // a hash never fails
	note(c.proc.number, c.describe(), l.fate, l.at)
	if l.err != nil {
		note(brief(l.err.Error()))
	}
	for _, on := range c.touches() {
		note(t.before(c, on))
	}
	step := h.Sum64()
	t.sum += step
	if c.kind == write || c.kind == receive || c.op == does {
		for _, on := range c.touches() {
			t.last[on] = step
		}
	}
	switch l.fate {
	case purged, redelivers, haunts:
		t.last[tasksQueue] = step
	case purgedDone:
		t.last[resultsQueue] = step
	}
}

// before is the state of an object that a call reads: its last change, or for a listing the last
// changes of all objects with the prefix.
func (t *trace) before(c *call, on string) (found uint64) {
	if c.op != "ListObjectsV2" {
		return t.last[on]
	}
	for object, step := range t.last {
		if strings.HasPrefix(object, on) {
			found += step
		}
	}
	return found
}

// touches are the objects or the queue of a call.
func (c *call) touches() []string {
	switch c.op {
	case "DeleteObjects":
		return append([]string{c.on}, strings.Fields(c.what())...)
	case "values.batchGet", does:
		return []string{"sheets"}
	}
	return []string{c.on}
}

// readsImmutable reports whether a call reads an object that does not change at that time. Then the
// time of the call has no effect.
func (c *call) readsImmutable() bool {
	name := c.on[strings.LastIndexByte(c.on, '/')+1:]
	return c.kind == read && (strings.HasPrefix(name, "tasks-") || strings.HasPrefix(name, "expected-") ||
		strings.HasPrefix(c.on, layout.Manifests()) || strings.Contains(c.on, "/frames/"))
}
