package state_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/test/membucket"
)

// The clock of a planner does not decide which run is the newest. The clock of a tracker does not
// decide whether a message was unreadable since the run began.
func TestClocksApart(t *testing.T) {
	s := &state.Store{Bucket: &membucket.Bucket{}, Layout: dataset.Layout{Prefix: "tt"}}
	write := func(name string, body string) {
		if _, err := s.Write(t.Context(), name, []byte(body), bucket.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	runs := []string{"20261126T100000Z-8", "20261125T100000Z-9", "20261124T095959Z-10"}
	for i, run := range runs {
		write(state.RunName(run, "plan.json"), fmt.Sprintf(`{"run":%q,"generation":%d}`, run, 8+i))
	}
	if got, err := s.Runs(t.Context()); err != nil || !slices.Equal(got, runs) {
		t.Errorf("runs, oldest first: %q, %v", got, err)
	}
	if all, err := state.RunStatuses(t.Context(), s, 1); err != nil || len(all) != 1 || all[0].Run != runs[2] {
		t.Errorf("the newest run: %+v, %v", all, err)
	}
	pointer, err := s.Swap(t.Context(), state.PointerSnapshot{}, state.Pointer{Generation: 10, Run: runs[2], State: state.Running, Started: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	write(state.UnreadableName, `{"id":"a","generation":9,"received":"2026-11-26T00:00:00Z"}`+"\n"+`{"id":"b","generation":10,"received":"2020-01-01T00:00:00Z"}`+"\n")
	if st, err := state.ReadStatus(t.Context(), s, ""); err != nil || st.Unreadable != 1 || st.Run != pointer.Run {
		t.Errorf("%+v, %v", st, err)
	}
}
