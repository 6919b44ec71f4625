package dirbucket

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"syscall"

	"github.com/gofrs/flock"
)

// lockFiles is how many locks the keys are spread over, so that copies seldom wait for the writes of the state.
const lockFiles = 64

// lock takes the lock of a key against other processes and, as each call opens the file anew, against other
// goroutines. It is held for a rename, and for the hash of a state object at most. The lock files are never removed:
// a new one would lock nobody out.
func (b *Bucket) lock(key string, exclusive bool) (unlock func(), err error) {
	n := crc32.ChecksumIEEE([]byte(key)) % lockFiles
	f, err := b.openTemp(fmt.Sprintf("%s/lock-%02d", tempDir, n), os.O_RDWR|os.O_CREATE) // refuses links out of the folder
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
