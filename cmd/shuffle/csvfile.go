package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// csvFile is a CSV file that a command writes for people. It is written under a temporary name and
// renamed when it is complete, so that a failed command keeps the earlier file.
type csvFile struct {
	io.Writer
	path string
	file *os.File // nil for stdout
	temp string   // the temporary name; "" for a device or pipe
}

// newCSVFile opens the file and returns a usage error when that fails. Call it before the work
// whose result the file gets. "-" is stdout, unless stdout is nil.
func newCSVFile(flag, path string, stdout io.Writer) (*csvFile, error) {
	if path == "-" && stdout != nil {
		return &csvFile{Writer: stdout, path: path}, nil
	}
	f, err := openCSV(path)
	if err != nil {
		return nil, usage(fmt.Errorf("--%s %q: %w", flag, path, err))
	}
	return f, nil
}

func openCSV(path string) (*csvFile, error) {
	stat, err := os.Stat(path)
	switch {
	case path == "-":
		return nil, errors.New("expected a file, since the plan is printed on stdout")
	case err == nil && stat.IsDir():
		return nil, errors.New("it is a folder, expected a file")
	case err == nil && !stat.Mode().IsRegular():
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		return &csvFile{Writer: file, path: path, file: file}, withoutPath(err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".shuffle-*.csv")
	if err != nil {
		return nil, withoutPath(err)
	}
	return &csvFile{Writer: file, path: path, file: file, temp: file.Name()}, nil
}

// withoutPath returns the cause of a file's error. The caller adds the path as the user gave it:
// only a whole path is recognised when it is a secret, and masked.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

// finish renames the file to its final name. After an error it removes the file and returns the
// error.
func (f *csvFile) finish(err error) error {
	if f.file == nil {
		return err
	}
	err = errors.Join(err, withoutPath(f.file.Close()))
	if f.temp == "" {
		return err
	}
	if err == nil {
		err = withoutPath(os.Rename(f.temp, f.path))
	}
	if err != nil {
		_ = os.Remove(f.temp) // the first error is the one to report
	}
	return err
}
