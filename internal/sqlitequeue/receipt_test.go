package sqlitequeue

import "testing"

// FuzzParseReceipt: what is read as a receipt is written again as the same text, so that two texts
// are never one receipt.
func FuzzParseReceipt(f *testing.F) {
	for _, seed := range []string{"1-2-3", "", "1-2", "1-2-3-4", "01-2-3", "-1-2-3", "1-2-9223372036854775808", "+1-2-3", "a-b-c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if r, ok := parseReceipt(text); ok && r.String() != text {
			t.Errorf("%q is read as %q", text, r)
		}
	})
}

func TestParseReceipt(t *testing.T) {
	want := receipt{queue: 1, id: 345_600, received: 3}
	if got, ok := parseReceipt(want.String()); !ok || got != want {
		t.Errorf("read %v, %v; want %v", got, ok, want)
	}
	for _, text := range []string{"", "1-2", "1-2-3-4", "01-2-3", "-1-2-3", "1-2-9223372036854775808", "not a receipt"} {
		if got, ok := parseReceipt(text); ok {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
