package sqlitequeue_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the start of the processes that the tests in process_test.go start: this program
// with a role.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role, os.Getenv(fileVariable)))
	}
	goleak.VerifyTestMain(m)
}
