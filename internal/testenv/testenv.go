// Package testenv says where the servers are that some tests need.
package testenv

import (
	"os"
	"testing"
)

// AWSEndpoint is the base URL of a LocalStack, from SHUFFLE_TEST_AWS_ENDPOINT. Without one the test is skipped, or, under
// SHUFFLE_TEST_REQUIRE=1 (as `make test` has it), fails: a run that is meant to have the server must not pass for
// want of it.
func AWSEndpoint(t testing.TB) string {
	t.Helper()
	endpoint := os.Getenv("SHUFFLE_TEST_AWS_ENDPOINT")
	if endpoint != "" {
		return endpoint
	}
	if os.Getenv("SHUFFLE_TEST_REQUIRE") == "1" {
		t.Fatal("SHUFFLE_TEST_AWS_ENDPOINT is not set, and SHUFFLE_TEST_REQUIRE=1 wants the server")
	}
	t.Skip("SHUFFLE_TEST_AWS_ENDPOINT is not set: `make test` starts a LocalStack and sets it")
	return ""
}
