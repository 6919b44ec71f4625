package membucket

import (
	"testing"

	"github.com/angel-nft/google-shuffle/internal/test/buckettest"
)

func TestContract(t *testing.T) {
	buckettest.Run(t, func(*testing.T) buckettest.Bucket { return &Bucket{} })
}
