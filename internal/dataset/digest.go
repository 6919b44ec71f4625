package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Digest identifies a listing, independent of its order. It is the sum of the hashes of all images
// with their places.
type Digest [4]uint64

// Add adds one object.
func (d *Digest) Add(p Place, f Frame, etag string) {
	sum := sha256.Sum256([]byte(p.Dataset + "/" + p.Class + "/" + string(f) + "\n" + etag))
	for i := range d {
		d[i] += binary.BigEndian.Uint64(sum[8*i:])
	}
}

func (d Digest) String() string {
	var b [32]byte
	for i, v := range d {
		binary.BigEndian.PutUint64(b[8*i:], v)
	}
	return hex.EncodeToString(b[:])
}

// Digest returns the digest of all copies.
func (s Standing) Digest() Digest {
	var d Digest
	for f, copies := range s {
		for _, c := range copies {
			d.Add(c.Place, f, c.ETag)
		}
	}
	return d
}
