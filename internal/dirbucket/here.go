package dirbucket

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// handle is the bucket's open folder.
type handle struct {
	root *os.Root
	info fs.FileInfo
}

func (b *Bucket) root() *os.Root { return b.handle.Load().root }

// reopen opens the folder that has the bucket's name now. It closes the previous one after its last
// use.
func (b *Bucket) reopen() error {
	root, err := os.OpenRoot(b.dir)
	if err != nil {
		return err
	}
	info, err := root.Stat(".")
	if err != nil {
		return errors.Join(err, root.Close())
	}
	b.handle.Store(&handle{root, info})
	return nil
}

// here checks that the open folder is the one that has the bucket's name now. A person may remove
// the folder and create it again, and the handle of a removed folder is always empty. A missing
// folder is an error, and not an empty bucket, because nothing is known about its objects.
func (b *Bucket) here(op, key string) error {
	now, err := os.Stat(b.dir)
	if err == nil {
		if os.SameFile(now, b.handle.Load().info) {
			return nil
		}
		err = b.reopen()
	}
	if err != nil {
		return &bucket.Error{Op: op, Key: key, Code: bucket.CodeInternal, Status: http.StatusInternalServerError, Err: fmt.Errorf("the bucket's folder is gone: %s: %w", b.dir, err)}
	}
	return nil
}
