package dirbucket

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// handle is the bucket's folder as it was opened.
type handle struct {
	root *os.Root
	info fs.FileInfo
}

func (b *Bucket) root() *os.Root { return b.handle.Load().root }

// reopen opens the folder that has the bucket's name now. The one before is closed when nothing uses it any more.
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

// here makes sure that the open folder is the one that has the bucket's name now. Somebody may remove the folder and make it
// again, and the handle of a removed folder shows an empty bucket for ever. While there is no folder, nothing is known of any
// object: that is an error, and not the answer that there is none.
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
