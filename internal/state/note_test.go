package state_test

import (
	"errors"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// A note that another process writes causes no conflict; any other change does. A change of the
// state clears the note.
func TestNote(t *testing.T) {
	s := raced(t, "none", 0)
	swap := func(pointer state.PointerSnapshot, change func(*state.Pointer)) (state.PointerSnapshot, error) {
		next := pointer.Pointer
		change(&next)
		return s.Swap(t.Context(), pointer, next)
	}
	must := func(pointer state.PointerSnapshot, err error) state.PointerSnapshot {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return pointer
	}
	pointer := must(swap(state.PointerSnapshot{}, func(p *state.Pointer) {
		*p = state.Pointer{Generation: 1, Run: "20261123T212443Z-1", State: state.Verifying, Started: time.Now().UTC().Truncate(time.Second)}
	}))
	must(swap(pointer, func(p *state.Pointer) { p.Note = "it waits" }))
	noted := must(swap(pointer, func(p *state.Pointer) { p.Note = "it waits for something else" }))
	ended := must(swap(pointer, func(p *state.Pointer) { p.State = state.Succeeded }))
	if ended.Note != "" || noted.Note == "" {
		t.Errorf("noted %+v, ended %+v", noted, ended)
	}
	if _, err := swap(noted, func(p *state.Pointer) { p.State = state.Failed }); !errors.Is(err, state.ErrConflict) {
		t.Errorf("over another state: %v", err)
	}
	now, err := s.Current(t.Context(), state.PointerSnapshot{})
	if err != nil || now.State != state.Succeeded || now.Note != "" {
		t.Errorf("%v, %+v", err, now)
	}
}
