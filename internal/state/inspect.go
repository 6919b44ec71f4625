package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// Inspected is the result of reading an object of the state, or several objects of one kind.
type Inspected struct {
	Name   string // below <prefix>/shuffle/
	Detail string // what was found
	// Err is bucket.ErrNotFound, ErrDamaged, or a failed read.
	Err error
	// Heals means that the program makes the object again by itself.
	Heals bool
}

// InspectRun reads the objects of the run in force. It only lists the chunks of tasks, because
// there are many.
func (s *Store) InspectRun(ctx context.Context, p Pointer) (all []Inspected) {
	names, err := s.sizes(ctx, RunName(p.Run, ""))
	if err != nil {
		return []Inspected{{Name: RunName(p.Run, ""), Err: err}}
	}
	planned := p.Tasks > 0 || p.State == Publishing || p.State == Review || p.State == Succeeded
	if !planned {
		return []Inspected{{Name: RunName(p.Run, ""), Detail: "run " + p.Run + " is " + string(p.State) + ", and has no plan yet"}}
	}
	_, err = s.planOf(ctx, p)
	all = append(all, Inspected{Name: RunName(p.Run, "plan.json"), Detail: fmt.Sprintf("%d tasks", p.Tasks), Err: err})
	var missing []string
	chunks := Chunks(p.Tasks)
	for n := range chunks {
		if names[tasksName(p.Run, n)] <= 0 {
			missing = append(missing, tasksName(p.Run, n))
		}
	}
	of, detail := RunName(p.Run, "tasks-*"), fmt.Sprintf("%d of %d chunks are there; their content was not read", chunks-len(missing), chunks)
	err = nil
	if len(missing) > 0 {
		err = fmt.Errorf("%w: %d of %d are missing or empty, the first is %s", bucket.ErrNotFound, len(missing), chunks, missing[0])
	}
	all = append(all, Inspected{Name: of, Detail: detail, Err: err})
	return append(all, s.inspectCounts(ctx, p, names)...)
}

// inspectCounts reads the objects that trackers write about a run. Trackers can write all of them
// again.
func (s *Store) inspectCounts(ctx context.Context, p Pointer, names map[string]int64) (all []Inspected) {
	if name := RunName(p.Run, LedgerName); has(names, name) {
		var saved struct {
			Run   string `json:"run"`
			Tasks int    `json:"tasks"`
		}
		_, err := s.ReadJSON(ctx, name, &saved)
		if err == nil && (saved.Run != p.Run || saved.Tasks != p.Tasks) {
			err = fmt.Errorf("read %s%s: %w: it is of run %.100q, with %d tasks", s.Layout.State(), name, ErrDamaged, saved.Run, saved.Tasks)
		}
		all = append(all, Inspected{Name: name, Detail: "whole", Err: err, Heals: true})
	}
	if name := RunName(p.Run, DeadName); has(names, name) {
		all = append(all, inspectLines[DeadTask](ctx, s, name))
	}
	if p.State == Succeeded || p.State == Failed {
		r, err := s.ReadReport(ctx, p.Run)
		if err == nil && r.State != p.State {
			err = fmt.Errorf("%w: it says %s, and the pointer %s", ErrDamaged, r.State, p.State)
		}
		all = append(all, Inspected{Name: RunName(p.Run, ReportName), Detail: string(p.State), Err: err, Heals: true})
	}
	return all
}

// InspectLatest compares the object that names the latest version with that version.
func (s *Store) InspectLatest(ctx context.Context, v Version) Inspected {
	var named latest
	_, err := s.ReadJSON(ctx, LatestName, &named)
	if err == nil && named.Generation != v.Generation {
		err = fmt.Errorf("read %s%s: %w: it names version %d, and the newest that is whole is %d", s.Layout.State(), LatestName, ErrDamaged, named.Generation, v.Generation)
	}
	return Inspected{Name: LatestName, Detail: fmt.Sprintf("names version %d", v.Generation), Err: err}
}

// InspectLists reads the objects that belong to no run and no version.
func (s *Store) InspectLists(ctx context.Context) []Inspected {
	all := []Inspected{inspectLines[Unreadable](ctx, s, UnreadableName)}
	others := Inspected{Name: environmentsName, Detail: "none", Heals: true}
	c, err := s.Read(ctx, environmentsName)
	if errors.Is(err, bucket.ErrNotFound) {
		return append(all, others)
	}
	if err == nil && parseEnvironments(c.Body) == nil {
		err = fmt.Errorf("read %s%s: %w", s.Layout.State(), environmentsName, ErrDamaged)
	}
	others.Detail, others.Err = "readable", err
	return append(all, others)
}

// inspectLines reads a list that is only shown to people. A missing object means an empty list.
func inspectLines[T any](ctx context.Context, s *Store, name string) Inspected {
	i := Inspected{Name: name, Detail: "none", Heals: true}
	c, err := s.Read(ctx, name)
	if errors.Is(err, bucket.ErrNotFound) {
		return i
	}
	lines, bad := GoodLines[T](c.Body)
	if err == nil && bad > 0 {
		err = fmt.Errorf("read %s%s: %w: %d of %d lines", s.Layout.State(), name, ErrDamaged, bad, bad+len(lines))
	}
	i.Detail, i.Err = fmt.Sprintf("%d lines", len(lines)), err
	return i
}

// sizes lists a folder of the state: the names below <prefix>/shuffle/ and their sizes.
func (s *Store) sizes(ctx context.Context, folder string) (map[string]int64, error) {
	all := map[string]int64{}
	for page, err := range bucket.Pages(ctx, s.Bucket, bucket.ListInput{Prefix: s.Layout.State() + folder}) {
		if err != nil {
			return nil, err
		}
		for _, o := range page.Objects {
			size := o.Size
			if size < 0 {
				size = 1 // the bucket does not report the size
			}
			all[o.Key[len(s.Layout.State()):]] = size
		}
	}
	return all, nil
}

func has(names map[string]int64, name string) bool {
	_, ok := names[name]
	return ok
}
