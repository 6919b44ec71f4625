package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// ErrDamaged says that an object of the state is there and is not what the program wrote: cut short, changed, or another
// object. A missing one is bucket.ErrNotFound.
var ErrDamaged = errors.New("damaged")

// Lost says that an error is about an object that is gone or damaged. Asking again does not mend that.
func Lost(err error) bool { return errors.Is(err, bucket.ErrNotFound) || errors.Is(err, ErrDamaged) }

// sealStart begins the last member of a sealed object: the SHA-256 of the object as it was without the member.
const sealStart = ",\n \"sha256\": \""

// Seal encodes v as one indented JSON object, since people read these objects, with its digest as the last member. v must
// encode as an object that is not empty.
func Seal(v any) ([]byte, error) {
	body, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	open, ok := bytes.CutSuffix(body, []byte("\n}"))
	if !ok {
		return nil, fmt.Errorf("%.40q is no object with members", body)
	}
	return append(open, sealStart+hex.EncodeToString(sum[:])+"\"\n}\n"...), nil
}

// Unseal decodes an object that Seal made into v. One without a digest is of an earlier release, or written by a person:
// it is taken as it stands. The error is ErrDamaged.
func Unseal(body []byte, v any) error {
	if at := bytes.LastIndex(body, []byte(sealStart)); at >= 0 {
		plain := append(bytes.Clone(body[:at]), "\n}"...)
		sum := sha256.Sum256(plain)
		if want := sealStart + hex.EncodeToString(sum[:]) + "\"\n}\n"; string(body[at:]) != want {
			return fmt.Errorf("%w: its content is not what its member sha256 says; to accept a change made by hand, remove that member", ErrDamaged)
		}
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}
