// Package dirbucket keeps a bucket in a folder: the embedded default, for laptops, demos and tests.
//
// The object of a key is the plain file of that name below the folder, so that people can look at the objects
// and edit them with what they have. What a caller sees is what S3 shows: the order of the listings, the
// roll-up, the ETags (MD5), the conditions, the limits and the error codes. Writes appear at once or not at
// all. Any number of processes of one machine may use the folder at the same time.
//
// What a file system can't do is refused with bucket.CodeInvalidKey: keys with an empty, "." or ".." segment,
// and a key below another key ("a" and "a/b"). Symbolic links are no objects, and none that leads out of the folder
// is followed.
//
// A conditional write has reached the disk when PutObject returns; for other writes that is left to the
// operating system, which loses them only when the machine itself stops.
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
	// tempDir holds what is being written, and the locks. It is in the folder itself because a rename is atomic
	// within one file system only.
	tempDir = ".tmp"
	// writePrefix starts the names of files being written; everything else in tempDir stays.
	writePrefix = "write-"
	// staleAfter is when a file being written is taken for one that a dead process left. No write takes that long.
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

// Close gives the folder's handle back.
func (b *Bucket) Close() error { return b.root().Close() }

// removeStale removes what processes were writing when they died.
func (b *Bucket) removeStale(now time.Time) error {
	entries, err := fs.ReadDir(b.root().FS(), tempDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the first write makes it: who only reads changes nothing
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
			continue // Gone by now, or perhaps still being written.
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
