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
	// A bit that flips anywhere, and an end that is cut off anywhere. What the name of the digest's
	// member loses is no content.
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
	// What an earlier release wrote, and what a person has edited and unsealed.
	if err := Unseal([]byte(`{"v":1,"text":"x"}`), &got); err != nil || got.Text != "x" {
		t.Errorf("without a digest: %+v, %v", got, err)
	}
}
