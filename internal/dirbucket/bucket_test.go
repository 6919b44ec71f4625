package dirbucket

import (
	"testing"

	"github.com/angel-nft/google-shuffle/internal/test/buckettest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	buckettest.Run(t, func(t *testing.T) buckettest.Bucket { return open(t, t.TempDir()) })
}

func open(t testing.TB, dir string) *Bucket {
	t.Helper()
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}
