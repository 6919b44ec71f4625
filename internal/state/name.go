package state

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

const stampLayout = "20060102T150405Z"

// NewRunName names a run after the time of its beginning and its generation: 20261123T212443Z-42-k7f3. The four
// random characters tell it from a run of another environment that begins in the same second. Earlier builds left
// them out, so all that reads a name takes it without them too.
func NewRunName(begun time.Time, generation int64) string {
	return fmt.Sprintf("%s-%d-%s", begun.UTC().Format(stampLayout), generation, strings.ToLower(rand.Text()[:4]))
}

// StartOf is when a run began, which it is named after; zero for another name.
func StartOf(run string) time.Time {
	stamp, _, _ := strings.Cut(run, "-")
	at, _ := time.Parse(stampLayout, stamp)
	return at
}

// GenerationOf is the generation of a run, which it is named after; 0 for another name.
func GenerationOf(run string) int64 {
	_, rest, _ := strings.Cut(run, "-")
	generation, _, _ := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(generation, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// ValidRun says whether a name can be a run's: one segment of a key. Names come from messages and command lines.
func ValidRun(run string) bool {
	return len(run) <= 100 && !strings.Contains(run, "/") && dataset.CheckKey(run) == nil
}

var uniqueName = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-[1-9][0-9]{0,18}-[a-z0-9]{4}$`)

// UniqueRun says whether a name is one of NewRunName. No two environments have a run of such a name, so a state that
// does not know the run is not its own.
func UniqueRun(run string) bool { return uniqueName.MatchString(run) }
