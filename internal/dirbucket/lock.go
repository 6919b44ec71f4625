package dirbucket

import (
	"fmt"
	"hash/crc32"
	"os"

	"github.com/angel-nft/google-shuffle/internal/filelock"
)

// lockFiles is how many locks the keys are spread over, so that copies seldom wait for the writes of the state.
const lockFiles = 64

// lock takes the lock of a key against other processes and, as each call opens the file anew, against other
// goroutines. It is held for a rename, and for the hash of a state object at most. The lock files are never removed:
// a new one would lock nobody out.
func (b *Bucket) lock(key string, exclusive bool) (unlock func(), err error) {
	n := crc32.ChecksumIEEE([]byte(key)) % lockFiles
	f, err := b.openTemp(fmt.Sprintf("%s/lock-%02d", tempDir, n), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := filelock.Lock(f, exclusive); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return func() { _ = f.Close() }, nil // Closing unlocks.
}
