// Package messages has the messages between the stages (DESIGN 6). The planner publishes tasks and
// workers apply them. Workers send results and the tracker counts them. Both are JSON, version 1,
// and a reader accepts unknown fields. No message is trusted before Parse and Check have accepted
// it.
package messages

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// Version is the message version that this program writes and reads.
const Version = 1

// ErrUnreadable means that a message has an unknown version or shape. It belongs on the dead-letter
// queue.
var ErrUnreadable = errors.New("unreadable message")

// Op is what a task does to its frame.
type Op string

// The operations of a task.
const (
	Copy    Op = "copy"    // the frame is in no dataset: copy Src to Dst
	Move    Op = "move"    // the frame is at another key: copy Src to Dst, then delete Del
	Refresh Op = "refresh" // the frame is at Dst with old content: copy Src over it, then delete Del
	Delete  Op = "delete"  // delete Del
)

// Task is the work on one frame in one run. Keys are relative to the configured bucket.
type Task struct {
	V     int           `json:"v"`
	Run   string        `json:"run"`
	Gen   int64         `json:"gen"`
	Seq   uint32        `json:"seq"` // from 0, without gaps in the run
	Op    Op            `json:"op"`
	Frame dataset.Frame `json:"frame"`
	Src   string        `json:"src,omitempty"`
	// SrcETag is the source's ETag when the plan was made.
	SrcETag string   `json:"src_etag,omitempty"`
	Dst     string   `json:"dst,omitempty"`
	Del     []string `json:"del,omitempty"`
	// Scope names the environment whose planner made the task, see Scope. Tasks of earlier builds
	// have none.
	Scope string `json:"scope,omitempty"`
	// Round counts the publications of this task. It is 0 for the plan's own, and grows when a
	// redrive or the tracker publishes the task again. For a round above 0 a worker first checks
	// whether the task is already done.
	Round uint32 `json:"round,omitempty"`
}

// Encode returns the task's message body.
func (t Task) Encode() string {
	body, err := json.Marshal(t)
	if err != nil {
		panic("encode task: " + err.Error()) // every field of a Task can be encoded
	}
	return string(body)
}

// ParseTask decodes a message body. Its error is ErrUnreadable. It does not check the keys, see
// Check.
func ParseTask(body string) (Task, error) {
	var t Task
	if err := json.Unmarshal([]byte(body), &t); err != nil {
		return Task{}, fmt.Errorf("%w: not a task: %w", ErrUnreadable, err)
	}
	if t.V != Version {
		return Task{}, fmt.Errorf("%w: version %d, expected %d", ErrUnreadable, t.V, Version)
	}
	if err := t.shape(); err != nil {
		return Task{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return t, nil
}

// shape returns an error when the task's fields do not fit its operation.
func (t Task) shape() error {
	if _, err := dataset.ParseFrame(string(t.Frame)); err != nil {
		return err
	}
	copies := t.Src != "" && t.Dst != "" && t.SrcETag != ""
	none := t.Src == "" && t.Dst == "" && t.SrcETag == ""
	var ok bool
	switch t.Op {
	case Copy:
		ok = copies && len(t.Del) == 0
	case Move:
		ok = copies && len(t.Del) > 0
	case Refresh:
		ok = copies
	case Delete:
		ok = none && len(t.Del) > 0
	default:
		return fmt.Errorf("unknown op %.20q", t.Op)
	}
	if err := checkScope(t.Scope); err != nil {
		return err
	}
	if !ok || t.Run == "" || t.Gen < 1 {
		return fmt.Errorf("op %s with run %.40q, gen %d, src %.100q, src_etag %.40q, dst %.100q and %d keys to delete", t.Op, t.Run, t.Gen, t.Src, t.SrcETag, t.Dst, len(t.Del))
	}
	return nil
}

// Check enforces guarantee 6. Every key that the task writes or deletes must be the task's own
// frame in a dataset. The source must be an image of that frame in its episode's folder. The task
// must not delete the key that it writes.
func (t Task) Check(l dataset.Layout) error {
	if t.Op != Delete {
		if err := l.CheckSource(t.Src, t.Frame); err != nil {
			return err
		}
		if err := checkEpisode(t.Src, t.Frame.Episode()); err != nil {
			return err
		}
		if err := checkPlace(l, t.Dst, t.Frame); err != nil {
			return err
		}
	}
	for i, key := range t.Del {
		if err := checkPlace(l, key, t.Frame); err != nil {
			return err
		}
		if key == t.Dst {
			return fmt.Errorf("key %.200q is both destination and to be deleted", key)
		}
		if slices.Contains(t.Del[:i], key) {
			return fmt.Errorf("key %.200q is to be deleted twice", key)
		}
	}
	return nil
}

// checkPlace refuses a key unless it is the frame's key in a dataset whose name a split can have.
func checkPlace(l dataset.Layout, key string, f dataset.Frame) error {
	if err := l.CheckDestination(key, f); err != nil {
		return err
	}
	if p, _, _ := l.Parse(key); !dataset.ValidName(p.Dataset) {
		return fmt.Errorf("key %.200q is in no dataset that a split can name", key)
	}
	return nil
}

// checkEpisode refuses a source key unless a folder of it names the wanted episode, and none names
// another one.
func checkEpisode(src string, want dataset.Episode) error {
	found := false
	for segment := range strings.SplitSeq(src, "/") {
		e, err := dataset.ParseEpisodeFlag(segment)
		if err != nil {
			continue
		}
		if e != want {
			return fmt.Errorf("source key %.200q is in the folder of episode %s, expected %s", src, e, want)
		}
		found = true
	}
	if !found {
		return fmt.Errorf("source key %.200q is in no folder of episode %s", src, want)
	}
	return nil
}

// Same reports whether two tasks differ at most in their rounds.
func (t Task) Same(o Task) bool {
	t.Round, o.Round = 0, 0
	return t.Encode() == o.Encode()
}
