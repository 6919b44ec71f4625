package testenv_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// fakeT records how AWSEndpoint ended the test, and ends its goroutine as testing.T does.
type fakeT struct {
	testing.TB
	ended string
}

func (f *fakeT) Helper()      {}
func (f *fakeT) Fatal(...any) { f.ended = "failed"; runtime.Goexit() }
func (f *fakeT) Skip(...any)  { f.ended = "skipped"; runtime.Goexit() }

func TestAWSEndpoint(t *testing.T) {
	for _, tc := range []struct{ name, endpoint, require, ended, want string }{
		{name: "set", endpoint: "http://127.0.0.1:1", want: "http://127.0.0.1:1"},
		{name: "set and required", endpoint: "http://127.0.0.1:1", require: "1", want: "http://127.0.0.1:1"},
		{name: "unset", ended: "skipped"},
		{name: "unset and required", require: "1", ended: "failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("SHUFFLE_TEST_AWS_ENDPOINT", tc.endpoint)
			t.Setenv("SHUFFLE_TEST_REQUIRE", tc.require)
			f, got := &fakeT{TB: t}, ""
			done := make(chan struct{})
			go func() {
				defer close(done)
				got = testenv.AWSEndpoint(f)
			}()
			<-done
			if f.ended != tc.ended || got != tc.want {
				t.Errorf("ended %q with %q, want %q with %q", f.ended, got, tc.ended, tc.want)
			}
		})
	}
}

func TestBrowser(t *testing.T) {
	installed := t.TempDir()
	for _, name := range []string{"google-chrome", "mine"} {
		if err := os.WriteFile(filepath.Join(installed, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct{ name, path, named, require, ended, want string }{
		{name: "installed", path: installed, want: filepath.Join(installed, "google-chrome")},
		{name: "named", path: installed, named: filepath.Join(installed, "mine"), want: filepath.Join(installed, "mine")},
		{name: "none", ended: "skipped"},
		{name: "none and required", require: "1", ended: "failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("PATH", tc.path)
			t.Setenv("SHUFFLE_TEST_BROWSER", tc.named)
			t.Setenv("SHUFFLE_TEST_REQUIRE", tc.require)
			f, got := &fakeT{TB: t}, ""
			done := make(chan struct{})
			go func() {
				defer close(done)
				got = testenv.Browser(f)
			}()
			<-done
			if f.ended != tc.ended || got != tc.want {
				t.Errorf("ended %q with %q, want %q with %q", f.ended, got, tc.ended, tc.want)
			}
		})
	}
}
