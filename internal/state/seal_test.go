package state

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSeal(t *testing.T) {
	type object struct {
		V    int      `json:"v"`
		Text string   `json:"text"`
		More []string `json:"more,omitempty"`
	}
	want := object{1, "<ü>,\n \"sha256\": \"", []string{"a"}}
	body, err := Seal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got object
	if err := Unseal(body, &got); err != nil || !cmp.Equal(want, got) {
		t.Errorf("%+v, %v", got, err)
	}
	// Any bit may flip, and the end may be cut off anywhere. A changed name of the digest's member
	// leaves the content unchanged.
	for i := range body {
		flipped := bytes.Clone(body)
		flipped[i] ^= 0x04
		if err := Unseal(flipped, &got); !errors.Is(err, ErrDamaged) && !cmp.Equal(want, got) {
			t.Errorf("byte %d flipped, %q: %v", i, flipped, err)
		}
		if err := Unseal(body[:i], &got); !errors.Is(err, ErrDamaged) && i < len(body)-1 {
			t.Errorf("cut after %d bytes: %v", i, err)
		}
	}
	// An object of an earlier release, or one that a person has edited, has no digest.
	if err := Unseal([]byte(`{"v":1,"text":"x"}`), &got); err != nil || got.Text != "x" {
		t.Errorf("without a digest: %+v, %v", got, err)
	}
}
