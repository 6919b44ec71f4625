package membucket

import (
	"testing"

	"github.com/angel-nft/google-shuffle/internal/buckettest"
)

func TestContract(t *testing.T) {
	buckettest.Run(t, func(*testing.T) buckettest.Bucket { return &Bucket{} })
}
