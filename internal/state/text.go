package state

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

var (
	encoder    = newEncoder()
	decoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(packedAtOnce), zstd.WithDecoderMaxMemory(1<<30))
)

// packedAtOnce is the number of texts that are compressed or read at a time. Each needs a few MB in
// addition to the text.
const packedAtOnce = 2

// newEncoder makes an encoder and uses it once. Otherwise the first use would create its channels,
// and in a test with fake time these would belong to the test's bubble.
func newEncoder() *zstd.Encoder {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(packedAtOnce), zstd.WithWindowSize(textBlock), zstd.WithZeroFrames(true))
	if err != nil {
		panic("zstd encoder: " + err.Error()) // the options are constant
	}
	enc.EncodeAll(nil, nil)
	return enc
}

// scratch are buffers for compressed texts.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// Pack compresses a block of a Text: one zstd frame. Callers keep many frames in memory, so it
// returns a copy of the exact length. The encoder's own slice may have room for the whole text.
func Pack(plain []byte) []byte {
	room := scratch.Get().(*[]byte)
	defer scratch.Put(room)
	*room = encoder.EncodeAll(plain, (*room)[:0])
	return bytes.Clone(*room)
}

// Unpack is the reverse of Pack. It checks the checksum that Pack adds.
func Unpack(packed []byte) ([]byte, error) {
	plain, err := decoder.DecodeAll(packed, nil)
	if err == nil && len(packed) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return plain, nil
}

// Frames splits zstd frames that follow each other, without unpacking them.
func Frames(packed []byte) (frames [][]byte, err error) {
	for len(packed) > 0 {
		n, err := frameLength(packed)
		if err != nil {
			return nil, fmt.Errorf("%w: frame %d: %w", ErrDamaged, len(frames)+1, err)
		}
		frames, packed = append(frames, packed[:n:n]), packed[n:]
	}
	return frames, nil
}

// frameLength is the length of the first frame (RFC 8878, 3.1.1).
func frameLength(packed []byte) (int, error) {
	var h zstd.Header
	if err := h.Decode(packed); err != nil {
		return 0, err
	}
	if h.Skippable {
		return 0, errors.New("it is skippable")
	}
	n := h.HeaderSize
	for last := false; !last; {
		if n+3 > len(packed) {
			return 0, io.ErrUnexpectedEOF
		}
		block := int(packed[n]) | int(packed[n+1])<<8 | int(packed[n+2])<<16
		const runLength = 1 // a block of one byte, repeated
		size := block >> 3
		if block>>1&3 == runLength {
			size = 1
		}
		n += 3 + size
		last = block&1 == 1
	}
	if h.HasCheckSum {
		n += 4
	}
	if n > len(packed) {
		return 0, io.ErrUnexpectedEOF
	}
	return n, nil
}

const textBlock = 1 << 20

// Text is a long text that is compressed in memory, block by block, and can be read without
// unpacking all of it. One goroutine writes it. After that any number of readers may read it.
type Text struct {
	// Block is the number of bytes compressed at a time; 0 is 1 MiB.
	Block int

	blocks []packedBlock
	last   []byte // not compressed yet
}

type packedBlock struct {
	packed []byte
	size   int // unpacked
}

// Write appends to the text.
func (t *Text) Write(p []byte) (int, error) {
	t.last = append(t.last, p...)
	if len(t.last) >= cmp.Or(t.Block, textBlock) {
		t.flush()
	}
	return len(p), nil
}

func (t *Text) flush() {
	if len(t.last) > 0 {
		t.blocks = append(t.blocks, packedBlock{Pack(t.last), len(t.last)})
		t.last = t.last[:0]
	}
}

// Add appends a block that Pack has made of size bytes.
func (t *Text) Add(packed []byte, size int) {
	t.flush()
	t.blocks = append(t.blocks, packedBlock{packed, size})
}

// Packed returns the whole text as compressed blocks that follow each other. Unpack reads it. An
// empty text has one block: an object without a byte counts as damaged.
func (t *Text) Packed() []byte {
	t.flush()
	if len(t.blocks) == 0 {
		return Pack(nil)
	}
	blocks := make([][]byte, len(t.blocks))
	for i, b := range t.blocks {
		blocks[i] = b.packed
	}
	return bytes.Join(blocks, nil)
}

// Reader reads the text from its start. It has one unpacked block in memory at a time.
func (t *Text) Reader() io.ReadSeeker {
	blocks := t.blocks
	if len(t.last) > 0 { // not changed, because several readers may read in parallel
		blocks = append(slices.Clip(blocks), packedBlock{Pack(t.last), len(t.last)})
	}
	return &textReader{blocks: blocks}
}

// Equal reports whether the text equals plain.
func (t *Text) Equal(plain []byte) bool {
	r := t.Reader()
	part := make([]byte, 32<<10)
	for {
		n, err := r.Read(part)
		if n > len(plain) || !bytes.Equal(part[:n], plain[:n]) {
			return false
		}
		plain = plain[n:]
		if err != nil {
			return errors.Is(err, io.EOF) && len(plain) == 0
		}
	}
}

type textReader struct {
	blocks []packedBlock
	at     int64  // of the next byte to read
	next   int    // block to unpack
	begun  int64  // offset of that block's first byte
	plain  []byte // the rest of the block before it
}

func (r *textReader) Read(p []byte) (int, error) {
	for len(r.plain) == 0 {
		if r.next == len(r.blocks) {
			return 0, io.EOF
		}
		b := r.blocks[r.next]
		if skip := r.at - r.begun; skip >= int64(b.size) {
			r.next, r.begun = r.next+1, r.begun+int64(b.size)
			continue
		}
		plain, err := Unpack(b.packed)
		if err != nil {
			return 0, err
		}
		r.plain = plain[r.at-r.begun:]
		r.next, r.begun = r.next+1, r.begun+int64(b.size)
	}
	n := copy(p, r.plain)
	r.plain, r.at = r.plain[n:], r.at+int64(n)
	return n, nil
}

func (r *textReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		for _, b := range r.blocks {
			offset += int64(b.size)
		}
	}
	if offset < 0 {
		return r.at, errors.New("seek before the start of the text")
	}
	if offset != r.at {
		*r = textReader{blocks: r.blocks, at: offset}
	}
	return offset, nil
}
