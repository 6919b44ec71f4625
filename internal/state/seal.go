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

// ErrDamaged means that an object of the state exists but differs from what the program wrote: it
// is truncated, changed, or another object. The error for a missing object is bucket.ErrNotFound.
var ErrDamaged = errors.New("damaged")

// Lost reports whether an error is about a missing or damaged object. A retry does not help.
func Lost(err error) bool { return errors.Is(err, bucket.ErrNotFound) || errors.Is(err, ErrDamaged) }

// twice repeats a read that finds an object missing or damaged, where one such answer must not end
// a run.
func twice[T any](read func() (T, error)) (T, error) {
	v, err := read()
	if Lost(err) {
		v, err = read()
	}
	return v, err
}

// sealStart begins the last member of a sealed object. It is the SHA-256 of the object without this
// member.
const sealStart = ",\n \"sha256\": \""

// Seal encodes v as a JSON object with its digest as the last member. It is indented, because
// people read it. v must encode as an object that is not empty.
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

// Unseal decodes an object that Seal made into v. It accepts an object without a digest, which an
// earlier release or a person wrote. The error is ErrDamaged.
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
