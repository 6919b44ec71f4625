package faults

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// entry is a line of the log: a request with its result, or an event.
type entry struct {
	Request
	fault  Kind
	status int // of the answer; 0: no answer
	event  string
}

func (e entry) String() string {
	if e.event != "" {
		return fmt.Sprintf("%8.3fs ====== %s", e.At.Seconds(), e.event)
	}
	line := e.Request.String()
	if e.fault != "" {
		line += " !! " + string(e.fault)
	}
	if e.status >= 300 && e.fault == "" || e.fault == "" && e.status == 0 {
		line += fmt.Sprintf(" -> %d", e.status)
	}
	return line
}

// Event adds an event to the log, such as a killed process or an edited sheet.
func (f *Front) Event(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries = append(f.entries, entry{Request: Request{At: time.Since(f.began)}, event: fmt.Sprintf(format, args...)})
}

// Did adds an event that counts as a fault.
func (f *Front) Did(k Kind, to string) {
	f.Event("%s: %s", k, to)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[k]++
}

func (f *Front) ended(i, status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries[i].status = status
}

// Story prints the log: the faults by kind, each event and fault, and every request near one of
// them. Elsewhere it omits empty long polls and other requests without effect.
func (f *Front) Story(w io.Writer) error {
	f.mu.Lock()
	entries := slices.Clone(f.entries)
	f.mu.Unlock()
	if _, err := fmt.Fprintf(w, "faults: %s\n", Tally(f.Counts())); err != nil {
		return err
	}
	skipped := 0
	for i, e := range entries {
		if !isInStory(entries, i) {
			skipped++
			continue
		}
		if skipped > 0 {
			if _, err := fmt.Fprintf(w, "          … %d requests\n", skipped); err != nil {
				return err
			}
			skipped = 0
		}
		if _, err := fmt.Fprintln(w, e); err != nil {
			return err
		}
	}
	return nil
}

// near is the number of requests around an event or a fault that the story includes.
const near = 4

// isInStory reports whether the story includes an entry.
func isInStory(entries []entry, i int) bool {
	e := entries[i]
	if e.event != "" || e.fault != "" || e.Writes() && strings.Contains(e.Target, "/shuffle/") {
		return true
	}
	return slices.ContainsFunc(entries[max(i-near, 0):min(i+near+1, len(entries))], func(o entry) bool { return o.event != "" || o.fault.kills() })
}

func (k Kind) kills() bool { return k == Crash || k == CrashAfter }

// Tally describes counts in words, the largest first.
func Tally(counts map[Kind]int) string {
	kinds := slices.SortedFunc(maps.Keys(counts), func(a, b Kind) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	parts := make([]string, len(kinds))
	for i, k := range kinds {
		parts[i] = fmt.Sprintf("%d %s", counts[k], k)
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// Refused describes the process and the key with the most refused conditional writes within a
// time, and their number.
func (f *Front) Refused(within time.Duration) (most int, what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	times := map[string][]time.Duration{}
	for _, e := range f.entries {
		if !e.Conditional || e.status != http.StatusPreconditionFailed && e.status != http.StatusConflict {
			continue
		}
		name := e.From + ": " + e.Target
		all := append(times[name], e.At)
		for e.At-all[0] > within {
			all = all[1:]
		}
		times[name] = all
		if len(all) > most {
			most, what = len(all), name
		}
	}
	return most, what
}

// Asked returns the number of requests of a process so far.
func (f *Front) Asked(from string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.entries {
		if e.From == from && e.event == "" {
			n++
		}
	}
	return n
}

// Unanswered returns the number of requests with a kind of fault that have no answer yet.
func (f *Front) Unanswered(k Kind) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.entries {
		if e.fault == k && e.status == 0 {
			n++
		}
	}
	return n
}
