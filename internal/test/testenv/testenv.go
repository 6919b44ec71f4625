// Package testenv finds the servers and programs that some tests need.
package testenv

import (
	"os"
	"os/exec"
	"testing"
)

// AWSEndpoint is the base URL of a LocalStack, from SHUFFLE_TEST_AWS_ENDPOINT.
func AWSEndpoint(t testing.TB) string {
	t.Helper()
	return need(t, "SHUFFLE_TEST_AWS_ENDPOINT", "the address of a LocalStack")
}

// MotoEndpoint is the base URL of a moto server, from SHUFFLE_TEST_MOTO_ENDPOINT.
func MotoEndpoint(t testing.TB) string {
	t.Helper()
	return need(t, "SHUFFLE_TEST_MOTO_ENDPOINT", "the address of a moto server (deploy/moto/run)")
}

// DatasetsPython is the path of a Python with the libraries that load datasets (.ci/datasets.txt),
// from SHUFFLE_TEST_DATASETS_PYTHON.
func DatasetsPython(t testing.TB) string {
	t.Helper()
	return need(t, "SHUFFLE_TEST_DATASETS_PYTHON", "a Python with the libraries of .ci/datasets.txt")
}

// need returns the variable's value. Without a value the test is skipped. Under
// SHUFFLE_TEST_REQUIRE=1, which `make test` sets, it fails instead, so a missing server is noticed.
func need(t testing.TB, variable, what string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value != "" {
		return value
	}
	if os.Getenv("SHUFFLE_TEST_REQUIRE") == "1" {
		t.Fatal(variable + " is not set, and SHUFFLE_TEST_REQUIRE=1 wants " + what)
	}
	t.Skip(variable + " is not set: `make test` sets it to " + what)
	return ""
}

// browsers are the names of Chromium in different systems.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// Browser is the path of a Chromium: SHUFFLE_TEST_BROWSER, or an installed one. Without a Chromium
// the test is skipped, or, under SHUFFLE_TEST_REQUIRE=1, fails.
func Browser(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("SHUFFLE_TEST_BROWSER"); path != "" {
		return path
	}
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("SHUFFLE_TEST_REQUIRE") == "1" {
		t.Fatal("no chromium is installed, and SHUFFLE_TEST_REQUIRE=1 wants one: .ci/browser installs it")
	}
	t.Skip("no chromium is installed: `make test` installs one")
	return ""
}
