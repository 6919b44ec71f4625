package state

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The reader reads a text from any offset, with any sequence of writes.
func TestText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text Text
		var want []byte
		for range rapid.IntRange(0, 6).Draw(t, "pieces") {
			piece := []byte(strings.Repeat(rapid.StringN(1, 5, 9).Draw(t, "piece"), rapid.SampledFrom([]int{1, 40, textBlock / 2}).Draw(t, "times")))
			want = append(want, piece...)
			if rapid.Bool().Draw(t, "packed") {
				text.Add(Pack(piece), len(piece))
			} else if _, err := text.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		r := text.Reader()
		if n, err := r.Seek(0, io.SeekEnd); n != int64(len(want)) || err != nil {
			t.Fatalf("%d bytes, %v; want %d", n, err, len(want))
		}
		from := rapid.IntRange(0, len(want)).Draw(t, "from")
		if _, err := r.Seek(int64(from), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(io.LimitReader(r, 100))
		if err != nil {
			t.Fatal(err)
		}
		if _, seekErr := r.Seek(-int64(len(got)), io.SeekCurrent); seekErr != nil {
			t.Fatal(seekErr)
		}
		if got, err = io.ReadAll(r); err != nil || !bytes.Equal(got, want[from:]) {
			t.Fatalf("from %d: %d bytes, %v; want %d", from, len(got), err, len(want)-from)
		}
	})
}

func TestFrames(t *testing.T) {
	var all []byte
	plain := []string{"a", strings.Repeat("b", 3<<20), "", strings.Repeat("0123456789", 40_000)}
	for _, p := range plain {
		all = append(all, Pack([]byte(p))...)
	}
	frames, err := Frames(all)
	if err != nil || len(frames) != len(plain) {
		t.Fatalf("%d frames, %v; want %d", len(frames), err, len(plain))
	}
	for i, f := range frames {
		if got, err := Unpack(f); err != nil || string(got) != plain[i] {
			t.Errorf("frame %d: %d bytes, %v", i, len(got), err)
		}
	}
	if _, err := Unpack(nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("nothing: %v", err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(append(Pack([]byte("one")), Pack(bytes.Repeat([]byte("two"), 100_000))...))
	f.Add([]byte("no frame"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		frames, err := Frames(packed)
		if err == nil && !bytes.Equal(bytes.Join(frames, nil), packed) {
			t.Errorf("%d frames of %d bytes are not the whole", len(frames), len(packed))
		}
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("%v", err)
		}
	})
}

// A list without a line is an object that can be read, unlike one that was emptied.
func TestNoLines(t *testing.T) {
	var text Text
	packed := text.Packed()
	if plain, err := Unpack(packed); len(packed) == 0 || err != nil || len(plain) != 0 {
		t.Errorf("%d bytes, unpacked to %d: %v", len(packed), len(plain), err)
	}
	if _, err := Unpack(nil); err == nil {
		t.Error("an empty object is read")
	}
}
