package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// asMain makes the test's binary act as the program: it starts itself as its own server and loop.
const asMain = "BENCH_TEST_AS_MAIN"

// shuffle is the program to measure.
var shuffle string

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(built(m.Run))
}

func built(run func() int) int {
	dir, err := os.MkdirTemp("", "shuffle-bench-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // A temporary folder.
	shuffle = filepath.Join(dir, "shuffle")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", shuffle, "../../../cmd/shuffle").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	return run()
}
