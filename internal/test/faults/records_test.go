package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// mostRefused is how many refused conditional writes of one key a process may send in one second.
// A process that does not wait between them sends about forty, because of the front's latency.
const mostRefused = 20

// recordsAgree checks what people read about the runs after their ends: the lists, the reports, the
// versions and the logs. It also checks that no process repeated a refused write without a pause.
func (w *world) recordsAgree(ctx context.Context) error {
	err := errors.Join(w.runsAreListed(ctx), w.reportsAgree(ctx), w.lastReportIsFinal(ctx), w.versionsAgree(ctx), w.endsAreAnnouncedOnce())
	if n, what := w.front.Refused(time.Second); n > mostRefused {
		err = errors.Join(err, fmt.Errorf("%d conditional writes within a second were refused, %s", n, what))
	}
	return err
}

// runsAreListed checks that one damaged object of a run does not hide the other runs.
func (w *world) runsAreListed(ctx context.Context) error {
	var all []state.Status
	code, err := w.command(ctx, &all, "runs", "--json", "--limit", "0")
	names, more := w.store.Runs(ctx)
	if err = errors.Join(err, more); err == nil && (code != 0 || len(all) < len(names)) {
		err = fmt.Errorf("runs: exit code %d, and %d of %d runs; see %s", code, len(all), len(names), w.lastStderr())
	}
	return err
}

// reportsAgree compares the final report of each run with the last end that its pointer had. A
// report that is not final is a proposal: its tracker may have been killed.
func (w *world) reportsAgree(ctx context.Context) error {
	for run, ends := range w.audit.Ends() {
		r, err := w.store.ReadReport(ctx, run)
		end := ends[len(ends)-1]
		switch {
		case w.wasTouched(run) || errors.Is(err, bucket.ErrNotFound):
		case err != nil:
			return err
		case r.Final && r.State != end.State:
			return fmt.Errorf("run %s is %s, and its report is of %s: %s", run, end.State, r.State, r.Reason)
		case r.Final && r.State == state.Succeeded && (!r.Verified || r.Differences > 0 || r.Done != r.Tasks):
			return fmt.Errorf("run %s succeeded, and its report is of %d of %d tasks, %d differences, verified: %t", run, r.Done, r.Tasks, r.Differences, r.Verified)
		}
	}
	return nil
}

// lastReportIsFinal waits until the run in force has its final report, and the page of that report.
func (w *world) lastReportIsFinal(ctx context.Context) error {
	pointer, err := w.store.Current(ctx, state.PointerSnapshot{})
	if err != nil {
		return err
	}
	found := ""
	err = until(ctx, "a final report with its page", patience, func(ctx context.Context) (bool, error) {
		r, err := w.store.ReadReport(ctx, pointer.Run)
		if state.Lost(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		page, err := w.store.Read(ctx, state.RunName(pointer.Run, state.PageName))
		if err != nil && !errors.Is(err, bucket.ErrNotFound) {
			return false, err
		}
		own := strings.Contains(string(page.Body), r.Writer)
		found = fmt.Sprintf("report.json is of %s, final: %t, and report.html belongs to it: %t", r.State, r.Final, own)
		return r.Final && r.State == pointer.State && own, nil
	})
	if err != nil {
		err = fmt.Errorf("run %s is %s: %s: %w", pointer.Run, pointer.State, found, err)
	}
	return err
}

// versionsAgree checks that each version has a run, and that the latest one has all frames of the
// datasets.
func (w *world) versionsAgree(ctx context.Context) error {
	code, err := w.command(ctx, nil, "versions", "--json")
	if err == nil && code != 0 {
		err = fmt.Errorf("versions: exit code %d; see %s", code, w.lastStderr())
	}
	if err != nil {
		return err
	}
	all, err := w.store.Versions(ctx)
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.Generation < 1 || !state.ValidRun(v.Run) || v.Run == "" {
			return fmt.Errorf("version %d is of run %q", v.Generation, v.Run)
		}
	}
	latest, err := w.store.LatestVersion(ctx)
	if err != nil {
		return err
	}
	stands, err := w.list(ctx, w.store.Layout.ML())
	if err == nil && latest.Frames != len(stands) {
		err = fmt.Errorf("version %d has %d frames, and the datasets have %d", latest.Generation, latest.Frames, len(stands))
	}
	return err
}

// endsAreAnnouncedOnce counts the lines of the logs that the alarms watch. Only the process that
// changed the pointer may write one, so there are no more of them than ends.
func (w *world) endsAreAnnouncedOnce() error {
	type end struct {
		run   string
		state state.State
	}
	most := map[end]int{}
	for run, ends := range w.audit.Ends() {
		for _, p := range ends {
			most[end{run, p.State}]++
		}
	}
	logs, err := filepath.Glob(filepath.Join(w.dir, "*.log"))
	for _, path := range logs {
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range bytes.Lines(body) {
			var said struct {
				Msg, Run string
				State    state.State
			}
			if json.Unmarshal(line, &said) != nil || said.Msg != "run ended" || w.wasTouched(said.Run) || len(w.audit.Ends()) == 0 {
				continue
			}
			e := end{said.Run, said.State}
			if most[e]--; most[e] < 0 {
				return fmt.Errorf("%s: an end of run %s that it did not have, or that was announced before: %s", filepath.Base(path), e.run, e.state)
			}
		}
	}
	return err
}
