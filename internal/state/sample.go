package state

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/angel-nft/google-shuffle/messages"
)

// SampleTasks reads some tasks of a chunk of a run, in their order. For each operation it takes the
// first task, and then one of each every[op] tasks. It does not decode the thousands of others.
func (s *Store) SampleTasks(ctx context.Context, run string, chunk int, every map[messages.Op]int) ([]messages.Task, error) {
	plain, err := s.readPlain(ctx, tasksName(run, chunk))
	if err != nil {
		return nil, err
	}
	seen := map[messages.Op]int{}
	var picked []messages.Task
	for line := range bytes.Lines(plain) {
		// The operation is found without decoding the task. This cannot match inside a string, where
		// quotes are escaped.
		_, rest, _ := bytes.Cut(line, []byte(`"op":"`))
		name, _, _ := bytes.Cut(rest, []byte{'"'})
		op := messages.Op(name)
		n := seen[op]
		seen[op]++
		if n%max(every[op], 1) != 0 {
			continue
		}
		var t messages.Task
		if err := json.Unmarshal(line, &t); err != nil {
			return nil, fmt.Errorf("read %s: %w", tasksName(run, chunk), err)
		}
		picked = append(picked, t)
	}
	return picked, nil
}
