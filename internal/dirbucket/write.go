package dirbucket

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

const (
	// All users may read the files, as is usual for folders of images.
	dirMode  = 0o755
	fileMode = 0o644
	// placeTries is how often a write creates its folder again when deletes keep removing it.
	placeTries = 100
)

var errPlace = errors.New("the key's folder was removed as often as it was made")

// PutObject writes an object, under a condition when cond has one. For an IfMatch without an object
// it returns bucket.ErrNotFound, as in S3.
func (b *Bucket) PutObject(ctx context.Context, key string, body []byte, cond bucket.Condition) (string, error) {
	return b.PutObjectFrom(ctx, key, bytes.NewReader(body), cond)
}

// PutObjectFrom is PutObject for a body that is not in memory.
func (b *Bucket) PutObjectFrom(ctx context.Context, key string, body io.ReadSeeker, cond bucket.Condition) (string, error) {
	const op = "PutObject"
	if err := b.check(ctx, op, key); err != nil {
		return "", err
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return "", fail(op, key, err)
	}
	durable := cond != (bucket.Condition{})
	temp, sum, err := b.writeTemp(body, durable)
	if err != nil {
		return "", fail(op, key, err)
	}
	if err := b.publish(ctx, op, temp, key, cond); err != nil {
		return "", fail(op, key, errors.Join(err, b.root().Remove(temp)))
	}
	if durable {
		if err := b.syncFolders(key); err != nil {
			return "", fail(op, key, err)
		}
	}
	return sum.etag(), nil
}

// CopyObject copies an object into a separate file, so that editing one never changes the other.
// With ifMatch it returns bucket.ErrPrecondition when the source has another ETag. An error names
// the source's key when the source is the reason.
func (b *Bucket) CopyObject(ctx context.Context, src, dst, ifMatch string) (string, error) {
	const op = "CopyObject"
	if err := b.check(ctx, op, dst); err != nil {
		return "", err
	}
	f, _, err := b.begin(ctx, op, src)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // It was only read.
	temp, sum, err := b.writeTemp(f, false)
	if err != nil {
		return "", fail(op, dst, err)
	}
	// The source is read once, so the hash belongs to exactly the copied content.
	if ifMatch != "" && sum.etag() != ifMatch {
		err = precondition(op, src, "the source has another ETag")
	} else {
		err = b.publish(ctx, op, temp, dst, bucket.Condition{})
	}
	if err != nil {
		return "", fail(op, dst, errors.Join(err, b.root().Remove(temp)))
	}
	return sum.etag(), nil
}

// writeTemp writes a file in the temporary folder, and removes it when the write fails.
func (b *Bucket) writeTemp(r io.Reader, durable bool) (temp string, sum digest, err error) {
	temp = tempDir + "/" + writePrefix + rand.Text()
	f, err := b.openTemp(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return "", digest{}, err
	}
	sum, _, err = sumOf(r, f)
	if err == nil && durable {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", digest{}, errors.Join(err, b.root().Remove(temp))
	}
	return temp, sum, nil
}

// openTemp opens a file in the temporary folder, and creates the folder when it is missing.
func (b *Bucket) openTemp(name string, flag int) (*os.File, error) {
	f, err := b.root().OpenFile(name, flag, fileMode)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := b.root().Mkdir(tempDir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return b.root().OpenFile(name, flag, fileMode)
}

// publish renames a temporary file to its key if the condition is true. Writes without a condition
// use the key's lock too, so that none happens between the check of a condition and the write.
func (b *Bucket) publish(ctx context.Context, op, temp, key string, cond bucket.Condition) error {
	conditional := cond != (bucket.Condition{})
	unlock, err := b.lock(key, conditional)
	if err != nil {
		return err
	}
	defer unlock()
	if conditional {
		if err := b.holds(op, key, cond); err != nil {
			return err
		}
		// The age of a state object counts from now, after the wait for the disk and the lock.
		now := time.Now()
		if err := b.root().Chtimes(temp, now, now); err != nil {
			return err
		}
	}
	if err := bucket.Late(ctx); err != nil {
		return err
	}
	return b.place(op, temp, key)
}

// holds returns nil when the condition is true.
func (b *Bucket) holds(op, key string, cond bucket.Condition) error {
	o, err := b.stat(key)
	if err != nil {
		if isAbsent(err) && cond.IfMatch == "" {
			return nil
		}
		return err
	}
	if cond.IfNoneMatch {
		return precondition(op, key, "there is an object")
	}
	if o.ETag != cond.IfMatch {
		return precondition(op, key, "the object has another ETag")
	}
	return nil
}

// place renames a file to its key. A delete may remove an empty folder at any time, also between
// its creation and the rename into it. Then place repeats both.
func (b *Bucket) place(op, temp, key string) error {
	for range placeTries {
		err := b.root().Rename(temp, key)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, fs.ErrNotExist):
			err = b.root().MkdirAll(path.Dir(key), dirMode)
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
				return belowKey(op, key, err)
			}
		// The name belongs to a folder.
		case errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENOTEMPTY), errors.Is(err, fs.ErrExist):
			if err := b.removeFolder(key); err != nil {
				return belowKey(op, key, errors.Join(syscall.ENOTDIR, err))
			}
		default:
			return belowKey(op, key, err)
		}
	}
	return errPlace
}

// belowKey explains what ENOTDIR means for a key.
func belowKey(op, key string, err error) error {
	if errors.Is(err, syscall.ENOTDIR) {
		return invalidKey(op, key, errKeyBelow)
	}
	return err
}

// removeFolder removes an empty folder, and never a file. os.Root.Remove would remove an object
// that has replaced the folder meanwhile.
func (b *Bucket) removeFolder(name string) error {
	return syscall.Rmdir(filepath.Join(b.dir, filepath.FromSlash(name)))
}

// syncFolders writes the names of the key's file and of its folders to the disk. Windows does that
// by itself.
func (b *Bucket) syncFolders(key string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	for folder := path.Dir(key); ; folder = path.Dir(folder) {
		f, err := b.root().Open(folder)
		if err == nil {
			err = errors.Join(f.Sync(), f.Close())
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) || folder == "." {
			return err
		}
	}
}
