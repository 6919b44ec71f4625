package dirbucket

import (
	"crypto/md5" //nolint:gosec // The ETag of S3 is the MD5.
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// keptETags is the size of the cache. An entry has about 64 bytes.
const keptETags = 1 << 20

type digest [md5.Size]byte

func (d digest) etag() string { return hex.EncodeToString(d[:]) }

// fingerprint identifies the content of a file. A write in place changes the times, and a rename
// changes the inode. The time of the inode's last change cannot be set back, unlike that of the
// content.
type fingerprint struct {
	inode           uint64
	size            int64
	modified, moved int64 // ns since 1970
}

// settledBy reports whether a later change would certainly change the fingerprint.
func (f fingerprint) settledBy(now time.Time) bool {
	return max(f.modified, f.moved) < now.Add(-settled).UnixNano()
}

// etagCache keeps the MD5 of files that do not change, so that a second listing does not read them.
type etagCache struct {
	mu   sync.Mutex
	sums map[fingerprint]digest
}

func (c *etagCache) get(f fingerprint) (digest, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.sums[f]
	return d, ok
}

func (c *etagCache) put(f fingerprint, d digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sums == nil || len(c.sums) >= keptETags {
		c.sums = make(map[fingerprint]digest)
	}
	c.sums[f] = d
}

// stat returns the object of a key. It returns errNoObject when the file is not an object.
func (b *Bucket) stat(key string) (bucket.Object, error) {
	st, err := b.root().Lstat(key)
	if err != nil {
		return bucket.Object{}, err
	}
	if sum, ok := b.remembered(st); ok {
		return bucket.Object{Key: key, ETag: sum.etag(), Size: st.Size()}, nil
	}
	f, st, err := b.open(key)
	if err != nil {
		return bucket.Object{}, err
	}
	defer f.Close() //nolint:errcheck // It was only read.
	return b.object(key, f, st)
}

// remembered returns the sum of a file that has not changed since it was hashed.
func (b *Bucket) remembered(st fs.FileInfo) (digest, bool) {
	mark, ok := fingerprintOf(st)
	if !ok || !st.Mode().IsRegular() {
		return digest{}, false
	}
	return b.etags.get(mark)
}

// open opens the file of a key. It returns the state of the opened file, even when another file
// replaces it.
func (b *Bucket) open(key string) (*os.File, fs.FileInfo, error) {
	// Opening would follow a link.
	if st, err := b.root().Lstat(key); err != nil || !st.Mode().IsRegular() {
		return nil, nil, orNoObject(err)
	}
	f, err := b.root().Open(key)
	if err != nil {
		return nil, nil, err
	}
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		_ = f.Close()
		return nil, nil, orNoObject(err)
	}
	return f, st, nil
}

func orNoObject(err error) error {
	if err == nil {
		return errNoObject
	}
	return err
}

// object returns the object of an open file, and leaves the file at its start. It reads the file
// unless its sum is remembered. It remembers the sum unless the file has changed recently or during
// the read.
func (b *Bucket) object(key string, f *os.File, st fs.FileInfo) (bucket.Object, error) {
	if sum, ok := b.remembered(st); ok {
		return bucket.Object{Key: key, ETag: sum.etag(), Size: st.Size()}, nil
	}
	before, marked := fingerprintOf(st)
	keep := marked && before.settledBy(time.Now())
	sum, size, err := sumOf(f, io.Discard)
	if err != nil {
		return bucket.Object{}, err
	}
	if keep {
		if now, err := f.Stat(); err == nil {
			if after, _ := fingerprintOf(now); after == before {
				b.etags.put(before, sum)
			}
		}
	}
	_, err = f.Seek(0, io.SeekStart)
	return bucket.Object{Key: key, ETag: sum.etag(), Size: size}, err
}

var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// sumOf copies r to w, and returns the MD5 and the number of bytes.
func sumOf(r io.Reader, w io.Writer) (digest, int64, error) {
	h := md5.New() //nolint:gosec // The ETag of S3 is the MD5.
	buf := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buf)
	var size int64
	for {
		n, err := r.Read(buf[:])
		size += int64(n)
		h.Write(buf[:n])
		if _, werr := w.Write(buf[:n]); werr != nil {
			return digest{}, size, werr
		}
		if errors.Is(err, io.EOF) {
			return digest(h.Sum(nil)), size, nil
		}
		if err != nil {
			return digest{}, size, err
		}
	}
}
