package dirbucket

import (
	"context"
	"fmt"
	"net/http"
	"path"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// DeleteObjects deletes up to bucket.MaxDeleteObjects objects, and folders that become empty. A key
// without an object is not an error. The list has the errors of single keys. All other keys are
// deleted.
func (b *Bucket) DeleteObjects(ctx context.Context, keys []string) ([]*bucket.Error, error) {
	const op = "DeleteObjects"
	if len(keys) > bucket.MaxDeleteObjects {
		return nil, &bucket.Error{Op: op, Code: "MalformedXML", Status: http.StatusBadRequest,
			Err: fmt.Errorf("%d keys; a request takes %d", len(keys), bucket.MaxDeleteObjects)}
	}
	if err := b.here(op, ""); err != nil {
		return nil, err
	}
	var failed []*bucket.Error
	folders := make(map[string]bool)
	for _, key := range keys {
		if err := ctx.Err(); err != nil {
			return failed, fail(op, key, err)
		}
		if err := b.delete(ctx, op, key); err != nil {
			failed = append(failed, err)
			continue
		}
		folders[path.Dir(key)] = true
	}
	for folder := range folders {
		// The folders above it go too, as long as they are empty.
		for folder != "." && b.removeFolder(folder) == nil {
			folder = path.Dir(folder)
		}
	}
	return failed, nil
}

func (b *Bucket) delete(ctx context.Context, op, key string) *bucket.Error {
	if err := checkKey(key); err != nil {
		return invalidKey(op, key, err)
	}
	unlock, err := b.lock(key, false)
	if err != nil {
		return fail(op, key, err)
	}
	defer unlock()
	if err := bucket.Late(ctx); err != nil {
		return fail(op, key, err)
	}
	err = b.root().Remove(key)
	if err == nil || isAbsent(err) {
		return nil
	}
	if st, serr := b.root().Lstat(key); serr == nil && st.IsDir() {
		return nil // the folder has other keys, and no object has this key
	}
	return fail(op, key, err)
}
