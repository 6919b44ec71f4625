// Package dirbucket implements the bucket port on a folder. It is the embedded default, for
// laptops, demos and tests.
//
// The object of a key is a plain file with the key as its path below the folder, so that people can
// view and edit it with any program. Callers see the same as with S3: the order of the listings,
// the grouping by delimiter, the ETags (MD5), the conditions, the limits and the error codes.
// Writes are atomic. Any number of processes on one machine may use the folder at the same time.
//
// Keys that a file system cannot have are refused with bucket.CodeInvalidKey: keys with an empty,
// "." or ".." segment, and a key below another key ("a" and "a/b"). Symbolic links are not objects,
// and no link out of the folder is followed.
//
// A conditional write is on the disk when PutObject returns. Other writes are written to the disk
// later by the operating system, which loses them only when the machine itself stops.
package dirbucket

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// tempDir has the files being written, and the locks. It is in the folder itself, because a
	// rename is atomic only within one file system.
	tempDir = ".tmp"
	// writePrefix starts the names of files being written. Other files in tempDir are never
	// removed.
	writePrefix = "write-"
	// staleAfter is the age at which a file being written counts as the rest of a dead process. No
	// write takes that long.
	staleAfter = time.Hour
)

// Bucket is a bucket in a folder. It is safe for concurrent use.
type Bucket struct {
	dir     string
	handle  atomic.Pointer[handle]
	etags   etagCache
	folders folderCache
}

// Open opens the bucket in dir and creates the folder when there is none.
func Open(dir string) (*Bucket, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open bucket folder: %w", err)
	}
	if err := os.MkdirAll(abs, dirMode); err != nil {
		return nil, fmt.Errorf("create bucket folder: %w", err)
	}
	b := &Bucket{dir: abs}
	if err := b.reopen(); err != nil {
		return nil, fmt.Errorf("open bucket folder: %w", err)
	}
	if err := b.removeStale(time.Now()); err != nil {
		return nil, errors.Join(fmt.Errorf("clean bucket folder: %w", err), b.Close())
	}
	return b, nil
}

// Close closes the folder's handle.
func (b *Bucket) Close() error { return b.root().Close() }

// removeStale removes the unfinished files of dead processes.
func (b *Bucket) removeStale(now time.Time) error {
	entries, err := fs.ReadDir(b.root().FS(), tempDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the first write creates it; reading changes nothing
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), writePrefix) {
			continue
		}
		st, err := e.Info()
		if err != nil || now.Sub(st.ModTime()) < staleAfter {
			continue // it was removed, or is perhaps still being written
		}
		err = b.root().Remove(tempDir + "/" + e.Name())
		switch {
		case err == nil, errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
			return nil // the folder cannot be written now; the next start removes them
		default:
			return err
		}
	}
	return nil
}
