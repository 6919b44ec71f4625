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

// keptETags bounds the cache, at about 64 bytes each.
const keptETags = 1 << 20

type digest [md5.Size]byte

func (d digest) etag() string { return hex.EncodeToString(d[:]) }

// fingerprint tells one content of a file from any other: a write in place moves the times, a rename brings another inode.
// The time of the last change of the inode can't be set back, as that of the content can.
type fingerprint struct {
	inode           uint64
	size            int64
	modified, moved int64 // ns since 1970
}

// settledBy is whether a change by now would show in the fingerprint.
func (f fingerprint) settledBy(now time.Time) bool {
	return max(f.modified, f.moved) < now.Add(-settled).UnixNano()
}

// etagCache keeps the MD5 of files that don't change, so that a second listing reads none of them.
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

// stat is the object of a key. errNoObject: what is there is none.
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

// remembered is the sum of a file that is as it was when it was hashed.
func (b *Bucket) remembered(st fs.FileInfo) (digest, bool) {
	mark, ok := fingerprintOf(st)
	if !ok || !st.Mode().IsRegular() {
		return digest{}, false
	}
	return b.etags.get(mark)
}

// open opens the file of a key. It gives the state of the very file that was opened, whatever takes its place.
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

// object is the object of an open file, which is left at its start. It reads the file unless its sum is remembered, and remembers
// the sum if nothing has changed the file of late or meanwhile.
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

// sumOf copies r to w and gives the MD5 and the number of bytes.
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
