package state

import (
	"testing"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/dirbucket"
)

func openStore(t *testing.T) (*Store, *dirbucket.Bucket) {
	t.Helper()
	b, err := dirbucket.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return &Store{Bucket: b, Layout: dataset.Layout{Prefix: "tuttle_twins"}}, b
}
