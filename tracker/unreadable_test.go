package tracker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/messages"
)

func unreadables(from, to int, body string) (all []state.Unreadable) {
	for i := from; i < to; i++ {
		all = append(all, state.Unreadable{ID: fmt.Sprint("m", i), Body: body})
	}
	return all
}

func ids(all []state.Unreadable) (ids []string) {
	for _, u := range all {
		ids = append(ids, u.ID)
	}
	return ids
}

func TestUnreadableBounds(t *testing.T) {
	large := strings.Repeat("x", maxUnreadableBody)
	const manyLarge = maxUnreadableBytes / maxUnreadableBody
	for _, test := range []struct {
		name       string
		old, more  []state.Unreadable
		all, added []state.Unreadable
	}{
		{"the first", nil, unreadables(0, 2, ""), unreadables(0, 2, ""), unreadables(0, 2, "")},
		{"known ones", unreadables(0, 3, ""), unreadables(1, 5, ""), unreadables(0, 5, ""), unreadables(3, 5, "")},
		{"twice in one batch", nil, slices.Concat(unreadables(0, 1, ""), unreadables(0, 1, "")), unreadables(0, 1, ""), unreadables(0, 1, "")},
		{
			"as many as are kept", unreadables(0, maxUnreadable-1, ""), unreadables(maxUnreadable-1, maxUnreadable, ""),
			unreadables(0, maxUnreadable, ""), unreadables(maxUnreadable-1, maxUnreadable, ""),
		},
		{
			"one more", unreadables(0, maxUnreadable, ""), unreadables(maxUnreadable, maxUnreadable+1, ""),
			unreadables(1, maxUnreadable+1, ""), unreadables(maxUnreadable, maxUnreadable+1, ""),
		},
		{
			"far more at once", unreadables(0, 5, ""), unreadables(5, 3*maxUnreadable, ""),
			unreadables(2*maxUnreadable, 3*maxUnreadable, ""), unreadables(5, 3*maxUnreadable, ""),
		},
		{
			"as many bytes as are kept", unreadables(0, manyLarge-1, large), unreadables(manyLarge-1, manyLarge, large),
			unreadables(0, manyLarge, large), unreadables(manyLarge-1, manyLarge, large),
		},
		{
			"a byte more", unreadables(0, manyLarge, large), unreadables(manyLarge, manyLarge+1, "x"),
			unreadables(1, manyLarge+1, ""), unreadables(manyLarge, manyLarge+1, ""),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			all, added := addUnreadable(test.old, test.more)
			if !slices.Equal(ids(all), ids(test.all)) || !slices.Equal(ids(added), ids(test.added)) {
				t.Errorf("kept %d, %d of them new; want %d and %d", len(all), len(added), len(test.all), len(test.added))
			}
		})
	}
}

// Every message fits a line that can be read again.
func TestUnreadableFitsALine(t *testing.T) {
	m := queue.Message{
		ID: "m1", Body: strings.Repeat("\x01", queue.MaxBatchBytes-3) + "é",
		Attributes: map[string]string{
			messages.AttrReason: strings.Repeat("é", queue.MaxBatchBytes), messages.AttrCode: strings.Repeat("c", 10_000),
			messages.AttrWorker: "w1", "other": "not kept",
		},
	}
	u := newUnreadable(fromDeadLetters, m, "unknown version")
	if len(u.Body) != maxUnreadableBody || len(u.Reason) > maxReason || len(u.Details[messages.AttrCode]) != maxCode || len(u.Details) != 2 {
		t.Errorf("%d bytes of body, %d of reason, details %v", len(u.Body), len(u.Reason), u.Details)
	}
	if !utf8.ValidString(u.Reason) || u.Queue != fromDeadLetters {
		t.Errorf("reason %q, queue %s", u.Reason, u.Queue)
	}
	all := make([]state.Unreadable, 3)
	for i := range all {
		all[i] = u
	}
	body, err := encodeLines(all)
	if err != nil {
		t.Fatal(err)
	}
	if read, err := state.ParseLines[state.Unreadable](body); err != nil || len(read) != 3 || read[2].Body != u.Body {
		t.Errorf("read %d lines: %v", len(read), err)
	}
}

func TestUnreadableReason(t *testing.T) {
	const own = "unknown version"
	for given, want := range map[string]string{"": own, "no task": "no task (the tracker: " + own + ")"} {
		m := queue.Message{ID: "m1", Attributes: map[string]string{messages.AttrReason: given}}
		if u := newUnreadable(fromDeadLetters, m, own); u.Reason != want || u.Details != nil {
			t.Errorf("reason %q, details %v; want %q", u.Reason, u.Details, want)
		}
	}
}
