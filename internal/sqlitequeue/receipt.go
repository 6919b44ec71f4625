package sqlitequeue

import (
	"fmt"
	"strconv"
	"strings"
)

// receipt identifies one receive of one message: its queue, its number and its receive count. So it
// becomes invalid at the next receive. It also becomes invalid at the move to the dead-letter
// queue, which gives the message a new number.
type receipt struct{ queue, id, received int64 }

func (r receipt) String() string { return fmt.Sprintf("%d-%d-%d", r.queue, r.id, r.received) }

// parseReceipt parses the output of String, and accepts no other spelling.
func parseReceipt(s string) (r receipt, ok bool) {
	parts := strings.Split(s, "-")
	if len(parts) != 3 {
		return receipt{}, false
	}
	for i, to := range []*int64{&r.queue, &r.id, &r.received} {
		n, err := strconv.ParseUint(parts[i], 10, 63)
		if err != nil {
			return receipt{}, false
		}
		*to = int64(n)
	}
	return r, r.String() == s
}
