package dirbucket

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"syscall"

	"github.com/gofrs/flock"
)

// lockFiles is the number of locks, by hash of the key. With several, copies seldom wait for writes
// of the state.
const lockFiles = 64

// lock takes the lock of a key against other processes. Each call opens the file again, so it also
// locks against other goroutines. The lock lasts for a rename, and at most for the hash of a state
// object. The lock files are never removed, because the lock of a new file would not exclude the
// users of the old one.
func (b *Bucket) lock(key string, exclusive bool) (unlock func(), err error) {
	n := crc32.ChecksumIEEE([]byte(key)) % lockFiles
	// It refuses links out of the folder.
	f, err := b.openTemp(fmt.Sprintf("%s/lock-%02d", tempDir, n), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	_ = f.Close()
	lock := flock.New(f.Name())
	wait := lock.RLock
	if exclusive {
		wait = lock.Lock
	}
	for err = wait(); errors.Is(err, syscall.EINTR); err = wait() { // a signal interrupted the wait
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), lock.Close())
	}
	return func() { _ = lock.Close() }, nil // Closing unlocks.
}
