package faults

import (
	"maps"
	"time"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// pointerHistory has the changes of the pointer, by the server's clock.
type pointerHistory struct {
	now     state.Pointer
	changed time.Time
	quiet   time.Time // from then on no worker acts on the run before
	ends    map[string][]state.Pointer
}

// quietSlack covers the time between the execution of a write and its record here.
const quietSlack = 20 * time.Millisecond

// add records a write of the pointer.
func (h *pointerHistory) add(p state.Pointer, at time.Time) {
	if before := h.now; p.Generation > before.Generation {
		h.quiet = time.Time{}
		// A run that succeeded without tasks had no workers.
		if before.Run != "" && (before.State != state.Succeeded || before.Tasks > 0) {
			since := h.changed
			if before.State.Active() {
				since = at
			}
			h.quiet = since.Add(before.Fence.Quiet() - quietSlack)
		}
	}
	if !p.State.Active() && (p.Run != h.now.Run || p.State != h.now.State) {
		h.ends[p.Run] = append(h.ends[p.Run], p)
	}
	h.now, h.changed = p, at
}

// early returns how much too early a planner lists the datasets.
func (h *pointerHistory) early(generation int64, at time.Time) time.Duration {
	if generation != h.now.Generation || h.now.State != state.Planning {
		return 0
	}
	return h.quiet.Sub(at)
}

// Ends returns the ends of each run, in their order: a failed run can be redriven, and end again.
func (a *Audit) Ends() map[string][]state.Pointer {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.pointer.ends)
}
