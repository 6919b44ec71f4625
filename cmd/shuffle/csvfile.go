package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// csvFile is a CSV that a command writes for people. It gets its name when it is whole: until then
// it is another file beside it, so that a command that fails leaves what was there.
type csvFile struct {
	io.Writer
	path string
	file *os.File // nil for stdout
	temp string   // the name until it is whole; "" for a device or pipe
}

// newCSVFile refuses, before anything else is done, a name under which nothing can be written. "-"
// is stdout, unless that is nil.
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
		return nil, errors.New("expected a file, since stdout has the plan")
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

// withoutPath is the cause of a file's error. The caller names the path as it was given: a part of
// it, such as its folder alone, would not be recognised as a secret and masked.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

// finish gives the file its name. After an error the file is removed, and the error given back.
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
		_ = os.Remove(f.temp) // the error that counts is the first
	}
	return err
}
