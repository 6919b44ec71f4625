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

// NewRunName makes a run's name from its start time and generation: 20261123T212443Z-42-k7f3. The
// four random characters distinguish it from a run of another environment that starts in the same
// second. Names of earlier builds do not have them, so every reader accepts names without them.
func NewRunName(begun time.Time, generation int64) string {
	return fmt.Sprintf("%s-%d-%s", begun.UTC().Format(stampLayout), generation, strings.ToLower(rand.Text()[:4]))
}

// StartOf returns the start time in a run's name, and the zero time for any other name.
func StartOf(run string) time.Time {
	stamp, _, _ := strings.Cut(run, "-")
	at, _ := time.Parse(stampLayout, stamp)
	return at
}

// GenerationOf returns the generation in a run's name, and 0 for any other name.
func GenerationOf(run string) int64 {
	_, rest, _ := strings.Cut(run, "-")
	generation, _, _ := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(generation, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// ValidRun reports whether a name can be a run's name, that is one segment of a key. Names come
// from messages and command lines.
func ValidRun(run string) bool {
	return len(run) <= 100 && !strings.Contains(run, "/") && dataset.CheckKey(run) == nil
}

var uniqueName = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-[1-9][0-9]{0,18}-[a-z0-9]{4}$`)

// UniqueRun reports whether NewRunName can have made a name. Two environments never have a run of
// the same such name. So a run that the state does not know belongs to another environment.
func UniqueRun(run string) bool { return uniqueName.MatchString(run) }
