package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/messages"
)

// These are the times without progress after which a run counts as stuck, and after which its rate
// is no longer shown. A tracker saves results every second or two. A running planner renews the
// pointer every few seconds.
const (
	idleAfter     = 30 * time.Second
	plannerAfter  = time.Minute
	verifierAfter = 3 * time.Minute // listing a season takes a while
	staleAfter    = 10 * time.Second
)

// Status is the output of status --json: the progress of a run.
type Status struct {
	Run         string                   `json:"run"`
	Generation  int64                    `json:"generation"`
	State       State                    `json:"state"`
	Reason      string                   `json:"reason"`
	Note        string                   `json:"note,omitempty"` // what an active run waits for, or what blocks it
	Tasks       int                      `json:"tasks"`
	Done        int                      `json:"done"`
	Dead        int                      `json:"dead"`
	Outcomes    map[messages.Outcome]int `json:"outcomes"` // all six, always
	Differences int                      `json:"differences"`
	// Messages that no stage could read since the run began.
	Unreadable int `json:"unreadable,omitempty"`
	// Environments names other environments whose messages were received from this one's queues
	// since the run began.
	Environments []string `json:"other_environments,omitempty"`
	// DeadCodes counts the dead tasks of a run that has ended by the code of their reason.
	DeadCodes map[string]int `json:"dead_codes,omitempty"`
	// PlanLost means that the run has tasks and its plan is missing or damaged.
	PlanLost bool `json:"plan_lost,omitempty"`
	// Earlier means that a newer run is in force, so this run does not change any more.
	Earlier bool `json:"-"`
	// MissingQueues are queues that the run needs and that do not exist. Only a command with access
	// to the queues sets it.
	MissingQueues []string `json:"missing_queues,omitempty"`
	// QueueFault is why the queues of an active run cannot be used, and what to do. It is "" when
	// no fault is known.
	QueueFault string        `json:"queue_fault,omitempty"`
	Held       []HeldEpisode `json:"held"`
	Started    time.Time     `json:"started"`
	Finished   *time.Time    `json:"finished"` // null until the run has ended
	Rate       float64       `json:"rate"`     // tasks a second: of the last minute; of the whole run when it has ended
	// ETASeconds is 0 when nothing is left and null while the rate is unknown.
	ETASeconds *float64 `json:"eta_seconds"`
	// Restores is the generation of the dataset version that the run restores; 0: it was planned
	// from the sheets.
	Restores int64 `json:"restores,omitempty"`
	// LastResultSeconds is how long ago the last result of an active run was received; null when
	// there is none.
	LastResultSeconds *float64 `json:"last_result_seconds"`
	// IdleSeconds is how long an active run has made no progress, when that is unusually long; else
	// 0.
	IdleSeconds float64 `json:"idle_seconds,omitempty"`
	// RecoverySeconds is the time until a tracker repairs that by itself, at the latest. Expect
	// sets it.
	RecoverySeconds *float64 `json:"recovery_seconds,omitempty"`
}

// Expect sets RecoverySeconds of a stuck run. stall is how long trackers wait; 0 is unknown.
func (s *Status) Expect(stall time.Duration) {
	if stall > 0 && s.IdleSeconds > 0 && s.State != Verifying {
		left := max(stall.Seconds()-s.IdleSeconds, 0)
		s.RecoverySeconds = &left
	}
}

// StatusOf makes a run's status. The caller sets Differences and DeadCodes, which come from the
// report, and Unreadable.
func StatusOf(p PointerSnapshot, progress Progress, plan *Plan) Status {
	s := Status{
		Run: p.Run, Generation: p.Generation, State: p.State, Reason: p.Reason, Tasks: p.Tasks,
		Done: progress.Done, Dead: progress.Dead, Outcomes: map[messages.Outcome]int{},
		Held: append([]HeldEpisode{}, plan.Held()...), Started: p.Started, Restores: plan.Restores, PlanLost: plan.Run == "" && p.Tasks > 0,
	}
	for _, o := range messages.Outcomes {
		s.Outcomes[o] = progress.Outcomes[o]
	}
	// The ledger is lost, and no run succeeds before all of its tasks are done.
	if p.State == Succeeded && s.Done < s.Tasks {
		s.Done, s.Dead = s.Tasks, 0
		for op, n := range map[messages.Op]int{messages.Copy: plan.Totals.Copy, messages.Move: plan.Totals.Move, messages.Refresh: plan.Totals.Refresh, messages.Delete: plan.Totals.Delete} {
			s.Outcomes[op.Done()] = n
		}
	}
	eta := 0.0
	if !p.State.Active() {
		if !p.Finished.IsZero() {
			s.Finished = &p.Finished
		}
		s.Rate, s.ETASeconds = progress.Overall(), &eta
		return s
	}
	s.Note, s.Rate = p.Note, progress.Rate()
	// A saved ledger is as old as its last result. When its age is unknown, it counts as new.
	last, come := max(progress.Age, 0), progress.Open < progress.Tasks
	if seconds := last.Seconds(); come && progress.Age >= 0 {
		s.LastResultSeconds = &seconds
	}
	if s.IdleSeconds = idle(p.State, p.Age, last, come).Seconds(); s.IdleSeconds > 0 || last > staleAfter && p.State.Acting() {
		s.Rate = 0
	}
	open := p.Tasks - progress.Done - progress.Dead - progress.Superseded
	switch {
	case open == 0 && p.State != Planning:
		s.ETASeconds = &eta
	case s.Rate > 0:
		eta = float64(open) / s.Rate
		s.ETASeconds = &eta
	}
	return s
}

// idle returns how long an active run has made no progress, or 0 when that is usual. pointer is the
// age of the pointer. last is the age of the last result, and come is whether there is one.
func idle(s State, pointer, last time.Duration, come bool) time.Duration {
	after, since := idleAfter, pointer
	switch s {
	case Planning:
		after = plannerAfter
	case Publishing:
		if after = plannerAfter; come {
			since = min(pointer, last)
		}
	case Running:
		if come {
			since = last
		}
	case Verifying:
		after = verifierAfter
	}
	if since <= after {
		return 0
	}
	return since
}

// Ended reports whether the run is over, so that it does not change by itself.
func (s Status) Ended() bool { return s.State != "" && s.State != Review && !s.State.Active() }

// ErrNoRun means that there is no such run.
var ErrNoRun = errors.New("no such run")

// ReadStatus reads the status of a run; "" is the newest. The status of the run in force comes from
// the pointer and the ledger. The status of an earlier run comes from its report. An earlier run
// without a report was superseded. An unknown run gives ErrNoRun.
func ReadStatus(ctx context.Context, s *Store, run string) (Status, error) {
	pointer, err := s.Current(ctx, PointerSnapshot{})
	if err != nil {
		return Status{}, err
	}
	switch {
	case run == "" && !pointer.Exists():
		return Status{}, s.noPointer(ctx)
	case run == "" || run == pointer.Run:
		return s.currentStatus(ctx, pointer)
	case !ValidRun(run):
		return Status{}, fmt.Errorf("%w: %.60q; see shuffle runs", ErrNoRun, run)
	}
	return s.earlierStatus(ctx, run)
}

// noPointer returns why no run is in force: there was no run yet, or the pointer was deleted.
func (s *Store) noPointer(ctx context.Context) error {
	runs, err := s.Runs(ctx)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return fmt.Errorf("%w: there is no run yet; shuffle plan begins the first", ErrNoRun)
	}
	return fmt.Errorf("%s%s is missing, and there are runs, the newest is %s: shuffle plan begins a new one, and nothing in the datasets is lost",
		s.Layout.State(), pointerName, runs[len(runs)-1])
}

func (s *Store) currentStatus(ctx context.Context, p PointerSnapshot) (Status, error) {
	plan, err := s.planIfAny(ctx, p.Run)
	if err != nil {
		return Status{}, err
	}
	progress, err := s.ReadProgress(ctx, p.Run, p.Tasks)
	if err != nil {
		return Status{}, err
	}
	status := StatusOf(p, progress, plan)
	status.Unreadable, err = s.CountUnreadable(ctx, p.Generation)
	if err != nil {
		return status, err
	}
	status.Environments, err = s.OtherEnvironments(ctx, p.Generation)
	if err != nil || p.State.Active() {
		return status, err
	}
	report, err := s.ReadReport(ctx, p.Run)
	if Lost(err) {
		return status, nil // the report is not written yet, or the tracker writes it again
	}
	if err == nil && report.State == p.State {
		status.Differences, status.DeadCodes = report.Differences, report.DeadCodes
		if report.Done > status.Done { // the ledger is lost
			status.Done, status.Dead, status.Outcomes = report.Done, report.Dead, report.Outcomes
		}
	}
	return status, err
}

// planIfAny reads a run's plan. For a missing or damaged one it returns the zero plan, so that the
// rest of the run can be shown.
func (s *Store) planIfAny(ctx context.Context, run string) (*Plan, error) {
	plan, err := s.ReadPlan(ctx, run)
	if Lost(err) {
		return &Plan{}, nil
	}
	return plan, err
}

func (s *Store) earlierStatus(ctx context.Context, run string) (Status, error) {
	report, err := s.ReadReport(ctx, run)
	if err == nil {
		report.Earlier = true
		return report.Status, nil
	}
	if !Lost(err) {
		return Status{}, err
	}
	p := PointerSnapshot{Pointer: Pointer{Run: run, State: Superseded, Reason: "a newer run took over"}}
	p.Started = StartOf(run)
	plan, err := s.planIfAny(ctx, run)
	switch {
	case err != nil:
		return Status{}, err
	case plan.Run != "":
		p.Generation, p.Tasks = plan.Generation, plan.Tasks
	default:
		if names, err := s.Names(ctx, RunName(run, "")); err != nil || len(names) == 0 {
			return Status{}, errors.Join(fmt.Errorf("%w: %s; see shuffle runs", ErrNoRun, run), err)
		}
	}
	progress, err := s.ReadProgress(ctx, run, p.Tasks)
	status := StatusOf(p, progress, plan)
	status.Earlier = true
	return status, err
}

// statusesAtOnce is the number of parallel reads of RunStatuses.
const statusesAtOnce = 16

// RunStatuses reads the status of the newest runs, newest first. It reads at most limit runs, or
// all with limit 0.
func RunStatuses(ctx context.Context, s *Store, limit int) ([]Status, error) {
	runs, err := s.Runs(ctx)
	if err != nil {
		return nil, err
	}
	pointer, err := s.Current(ctx, PointerSnapshot{})
	if err != nil {
		return nil, err
	}
	if pointer.Exists() && !slices.Contains(runs, pointer.Run) {
		runs = append(runs, pointer.Run) // planning: nothing of it is saved yet
	}
	slices.SortFunc(runs, func(a, b string) int { return CompareRuns(b, a) })
	if limit > 0 {
		runs = runs[:min(limit, len(runs))]
	}
	all := make([]Status, len(runs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(statusesAtOnce)
	for i, run := range runs {
		g.Go(func() (err error) {
			if run == pointer.Run {
				all[i], err = s.currentStatus(ctx, pointer)
			} else {
				all[i], err = s.earlierStatus(ctx, run)
			}
			return err
		})
	}
	return all, g.Wait()
}
