package messages

import (
	"strconv"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// readPlain reads a task that is written as Encode writes nearly all of them: its fields in their order, no spaces, no escapes. Of anything else it says
// that it cannot, and encoding/json decides; that takes a worker as long as all else that it does with a message.
func readPlain(body string) (t Task, ok bool) {
	r := plainReader{rest: body, ok: true}
	r.want(`{"v":`)
	t.V = int(r.number(31))
	r.want(`,"run":`)
	t.Run = r.text()
	r.want(`,"gen":`)
	t.Gen = int64(r.number(63))
	r.want(`,"seq":`)
	t.Seq = uint32(r.number(32))
	r.want(`,"op":`)
	t.Op = Op(r.text())
	r.want(`,"frame":`)
	t.Frame = dataset.Frame(r.text())
	if r.has(`,"src":`) {
		t.Src = r.text()
	}
	if r.has(`,"src_etag":`) {
		t.SrcETag = r.text()
	}
	if r.has(`,"dst":`) {
		t.Dst = r.text()
	}
	if r.has(`,"del":[`) {
		t.Del = append(t.Del, r.text())
		for r.has(",") {
			t.Del = append(t.Del, r.text())
		}
		r.want("]")
	}
	if r.has(`,"scope":`) {
		t.Scope = r.text()
	}
	if r.has(`,"round":`) {
		t.Round = uint32(r.number(32))
	}
	r.want("}")
	return t, r.ok && r.rest == ""
}

// plainReader reads from the beginning of rest. It is not ok as soon as something is not as expected.
type plainReader struct {
	rest string
	ok   bool
}

func (r *plainReader) has(text string) bool {
	rest, has := strings.CutPrefix(r.rest, text)
	if has {
		r.rest = rest
	}
	return has
}

func (r *plainReader) want(text string) { r.ok = r.has(text) && r.ok }

// text reads a string of ASCII without escapes.
func (r *plainReader) text() string {
	r.want(`"`)
	text, rest, ends := strings.Cut(r.rest, `"`)
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '\\' {
			r.ok = false
		}
	}
	r.rest, r.ok = rest, r.ok && ends
	return text
}

// number reads a whole number of so many bits, without a sign.
func (r *plainReader) number(bits int) uint64 {
	n := 0
	for n < len(r.rest) && r.rest[n] >= '0' && r.rest[n] <= '9' {
		n++
	}
	digits := r.rest[:n]
	value, err := strconv.ParseUint(digits, 10, bits)
	r.rest, r.ok = r.rest[n:], r.ok && err == nil && (len(digits) == 1 || digits[0] != '0') // JSON has no leading zeros
	return value
}
