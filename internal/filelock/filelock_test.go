package filelock

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTryLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	expect := func(f *os.File, want bool) {
		t.Helper()
		if got, err := TryLock(f); got != want || err != nil {
			t.Fatalf("locked %t, %v, expected %t", got, err, want)
		}
	}
	first, second := open(), open()
	expect(first, true)
	expect(second, false)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	expect(second, true)
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	third, fourth := open(), open()
	for _, f := range []*os.File{third, fourth} { // shared
		if err := Lock(f, false); err != nil {
			t.Fatal(err)
		}
	}
	expect(open(), false)
}
