// Package testenv says where the servers and programs are that some tests need.
package testenv

import (
	"os"
	"testing"
)

// AWSEndpoint is the base URL of a LocalStack, from SHUFFLE_TEST_AWS_ENDPOINT.
func AWSEndpoint(t testing.TB) string {
	t.Helper()
	return need(t, "SHUFFLE_TEST_AWS_ENDPOINT", "the address of a LocalStack")
}

// DatasetsPython is a Python with the library datasets of Hugging Face, from SHUFFLE_TEST_DATASETS_PYTHON.
func DatasetsPython(t testing.TB) string {
	t.Helper()
	return need(t, "SHUFFLE_TEST_DATASETS_PYTHON", "a Python with the library datasets")
}

// need is the variable's value. Without one the test is skipped, or, under SHUFFLE_TEST_REQUIRE=1 (as `make test` has it),
// fails: a run that is meant to have everything must not pass for want of something.
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
