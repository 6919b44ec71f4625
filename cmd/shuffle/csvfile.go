package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// csvFile is a CSV that a command writes for people. It appears under its name when it is whole: until then it is another file
// beside it, so that a command that fails leaves what was there. "-" is stdout.
type csvFile struct {
	io.Writer
	path string
	file *os.File // nil for stdout
}

// newCSVFile refuses, before anything else is done, a name under which nothing can be written.
func newCSVFile(flag, path string, stdout io.Writer) (*csvFile, error) {
	if path == "-" {
		return &csvFile{Writer: stdout, path: path}, nil
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".shuffle-*.csv")
	if err == nil {
		if stat, statErr := os.Stat(path); statErr == nil && stat.IsDir() {
			err = errors.Join(errors.New("it is a folder, expected a file"), file.Close(), os.Remove(file.Name()))
		}
	}
	if err != nil {
		return nil, usage(fmt.Errorf("--%s %q: %w", flag, path, err))
	}
	return &csvFile{Writer: file, path: path, file: file}, nil
}

// finish gives the file its name. After an error the file is removed, and the error given back.
func (f *csvFile) finish(err error) error {
	if f.file == nil {
		return err
	}
	err = errors.Join(err, f.file.Close())
	if err == nil {
		err = os.Rename(f.file.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(f.file.Name()) // the error that counts is the first
	}
	return err
}
