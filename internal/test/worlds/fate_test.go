package worlds

import (
	"fmt"
	"slices"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// fate is the effect that the world chooses for a call, or for itself before the call.
type fate string

const (
	goes fate = "" // executed and answered

	// Fates of the call.
	lost       fate = "lost"                  // not executed, no answer
	answerLost fate = "answer lost"           // executed, no answer
	partly     fate = "fails in part"         // the first entry of the batch fails
	denied     fate = "access denied"         // permanent error
	slowDown   fate = "slow down"             // transient error
	yields     fate = "waits for the others"  // executed when no other call is possible
	waitsBit   fate = "waits 900ms"           // less than the maximum age of a worker's pointer
	waitsShort fate = "waits 8s"              // longer than a write may take, and than the fence
	waitsLong  fate = "waits 40s"             // longer than visibility timeout, lease and stall
	comesLate  fate = "carried out too late"  // executed after its caller had given up
	killed     fate = "killed before"         // the process is killed
	killedDone fate = "killed after"          // the process is killed, but the call is executed
	terminated fate = "SIGTERM"               // the call continues
	frozen     fate = "the process is paused" // for longer than the visibility timeout

	// Fates of the world, before the call.
	hurries    fate = "the operator goes on already"
	purged     fate = "PurgeQueue tasks"
	purgedDone fate = "PurgeQueue results"
	redelivers fate = "everything in flight is delivered again"
	haunts     fate = "deleted messages come again"
)

// The durations of the waits.
const (
	bitWait   = 900 * time.Millisecond
	shortWait = 8 * time.Second
	longWait  = 40 * time.Second
)

// decide chooses a fate for the call and applies it.
func (w *world) decide(c *call) {
	options := w.options(c)
	f, chosen := goes, ""
	if len(options) > 1 && !w.calm {
		i := w.choices.befall(c, options)
		f, chosen = options[i], fmt.Sprintf("%d=%d", len(w.choices.taken)-1, i)
	}
	w.story = append(w.story, line{at: w.now(), call: c, fate: f, choice: chosen})
	told := &w.story[len(w.story)-1]
	w.count(f)
	w.befall(c, f)
	told.err = c.err
	w.trace.addStep(*told)
}

func about(c *call) decision {
	if c.kind == read {
		return byRead
	}
	return byFate
}

// options are the possible fates of a call, the usual one first.
func (w *world) options(c *call) []fate {
	switch c.kind {
	case person:
		return []fate{goes}
	case read:
		return []fate{goes, lost, killed, yields}
	case look:
		return []fate{goes, lost, killed, yields, waitsShort}
	case receive:
		return []fate{goes, answerLost, killedDone, yields}
	}
	all := []fate{goes, lost, answerLost, killed, killedDone, yields, waitsBit, waitsShort, waitsLong, frozen}
	if c.partly != nil {
		all = append(all, partly)
	}
	if c.op == "CopyObject" || c.op == "DeleteObjects" {
		all = append(all, denied, slowDown)
	}
	if c.proc.again == services {
		all = append(all, terminated)
	}
	return append(all, w.disasters()...)
}

// disasters are the fates that are possible once in a world.
func (w *world) disasters() (all []fate) {
	once := []fate{purged, purgedDone, redelivers, haunts}
	for _, f := range once {
		if !w.used[f] {
			all = append(all, f)
		}
	}
	if w.waiting() != nil {
		all = append(all, hurries)
	}
	return all
}

// waiting is the operator's wait that the world may end early.
func (w *world) waiting() *call {
	i := slices.IndexFunc(w.pending, func(c *call) bool { return c.kind == person && c.op == mayHurry && !c.ready() })
	if i < 0 {
		return nil
	}
	return w.pending[i]
}

func (w *world) befall(c *call, f fate) {
	w.used[f] = true
	switch f {
	case purged:
		w.must(w.tasks.PurgeQueue(always))
	case purgedDone:
		w.must(w.results.PurgeQueue(always))
	case redelivers:
		w.tasks.Redeliver()
	case haunts:
		w.tasks.Haunt()
	case hurries:
		w.carryOut(w.waiting())
	case yields:
		c.yields = true
	case waitsBit:
		c.held = time.Now().Add(bitWait)
	case waitsShort:
		c.held = time.Now().Add(shortWait)
	case waitsLong:
		c.held = time.Now().Add(longWait)
	case frozen:
		c.proc.frozen = time.Now().Add(longWait)
	case killed:
		w.kill(c.proc)
	case killedDone:
		c.apply()
		w.kill(c.proc)
	default:
		w.answer(c, f)
	}
}

// answer applies the fates that end in an answer.
func (w *world) answer(c *call, f fate) {
	switch f {
	case lost:
		c.err = c.broken(errLost)
	case answerLost:
		c.apply()
		c.answer, c.err = nil, c.broken(errLost)
	case partly:
		c.answer, c.err = c.partly()
	case denied:
		c.err = &bucket.Error{Op: c.op, Key: c.on, Code: bucket.CodeAccessDenied, Status: 403, Err: errLost}
	case slowDown:
		c.err = &bucket.Error{Op: c.op, Key: c.on, Code: bucket.CodeSlowDown, Status: 503, Err: errLost}
	default:
		c.apply()
	}
	w.reply(c)
	if f == terminated {
		w.terminate(c.proc)
	}
}

func (w *world) count(f fate) {
	if f != goes {
		w.choices.faults[f]++
	}
}
