package faults_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// clock is the error of a process's own clock, in whole seconds.
type clock struct {
	by    time.Duration
	after time.Duration // the age of the process when its clock jumps; 0: never
	then  time.Duration // the error after the jump
}

// env is the variable that clockSource reads.
func (c clock) env() string {
	return fmt.Sprintf("SHUFFLE_FAULTS_CLOCK=%d %d %d", int64(c.by.Seconds()), int64(c.after.Seconds()), int64(c.then.Seconds()))
}

func (c clock) String() string {
	if c.after == 0 {
		return c.by.String()
	}
	return fmt.Sprintf("%s, and %s after %s", c.by, c.then, c.after)
}

// clockOf draws the clock of a process from its name. A service keeps its name when it is started
// again.
func clockOf(seed uint64, name string) clock {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	r := rand.New(rand.NewPCG(seed, h.Sum64()))
	wrong := func() time.Duration {
		const day = 24 * time.Hour
		return []time.Duration{0, time.Hour, -time.Hour, day, -day}[r.IntN(5)]
	}
	c := clock{by: wrong()}
	if chance(r, 4) {
		c.after, c.then = time.Duration(1+r.IntN(15))*time.Second, wrong()
	}
	return c
}

// clockSource is one more file of the package time. It changes the wall clock. Durations by the
// monotonic clock stay right, as on a machine whose clock is wrong or is set.
const clockSource = `package time

import "syscall"

var clockMoved = readClockMoved()

// readClockMoved reads three numbers of seconds: by how much the clock is wrong; at which age of the process that changes, 0 for never; to
// what.
func readClockMoved() (n [3]int64) {
	text, _ := syscall.Getenv("SHUFFLE_FAULTS_CLOCK")
	i, sign := 0, int64(1)
	for _, c := range []byte(text) {
		switch c {
		case ' ':
			i, sign = i+1, 1
		case '-':
			sign = -1
		default:
			n[i] = n[i]*10 + sign*int64(c-'0')
		}
	}
	return n
}

func moveClock(sec, mono int64) int64 {
	if after := clockMoved[1]; after > 0 && mono-startNano > after*int64(Second) {
		return sec + clockMoved[2]
	}
	return sec + clockMoved[0]
}
`

// The line of time.Now that reads the time, and the line that is inserted after it.
const (
	clockAsked = "\tsec, nsec, mono := runtimeNow()\n"
	clockMoves = "\tsec = moveClock(sec, mono)\n"
)

// clockOverlay writes the file for go build -overlay that replaces sources of the package time.
func clockOverlay(dir string) (path string, err error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("find the standard library: %w", err)
	}
	sources := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	now := filepath.Join(sources, "time.go")
	body, err := os.ReadFile(now)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(body), clockAsked); n != 1 {
		return "", fmt.Errorf("%s has the line %q %d times, expected once: find where this version of Go asks for the time, and change clockAsked", now, clockAsked, n)
	}
	replace := map[string]string{now: filepath.Join(dir, "time.go"), filepath.Join(sources, "movedclock.go"): filepath.Join(dir, "movedclock.go")}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	for name, body := range map[string]string{
		"time.go": strings.Replace(string(body), clockAsked, clockAsked+clockMoves, 1), "movedclock.go": clockSource, "overlay.json": string(overlay),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "overlay.json"), nil
}

// buildWithClocks builds the program once more, with clocks that can be wrong. The build has no
// race detector: that would compile all packages a third time.
var buildWithClocks = sync.OnceValue(func() error {
	overlay, err := clockOverlay(filepath.Dir(program))
	if err != nil {
		return err
	}
	return compile(withClocks(), "-overlay="+overlay)
})

// withClocks is the path of that program.
func withClocks() string { return program + "-clocks" }
