package rows

import (
	"fmt"
	"strconv"
	"strings"
)

// Limit is the tolerated part of a number: a share ("5%") or a count ("500"). The zero Limit
// tolerates none.
type Limit struct {
	millionths int64 // of a share
	count      int64
	share      bool
}

// ParseLimit parses "5%", "0.5%" or "500".
func ParseLimit(s string) (Limit, error) {
	text, share := strings.CutSuffix(strings.TrimSpace(s), "%")
	if !share {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 0 {
			return Limit{}, fmt.Errorf("limit %s: expected a count such as 500, or a share such as 5%%", quote(s))
		}
		return Limit{count: n}, nil
	}
	percent, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(percent >= 0 && percent <= 100) {
		return Limit{}, fmt.Errorf("limit %s: expected a share from 0%% to 100%%", quote(s))
	}
	return Limit{share: true, millionths: int64(percent*1e4 + 0.5)}, nil
}

// Exceeded reports whether n of a number are more than the limit. 5 of 100 do not exceed 5%.
func (l Limit) Exceeded(n, of int) bool {
	if l.share {
		return int64(n)*1e6 > l.millionths*int64(of)
	}
	return int64(n) > l.count
}

// String returns the limit in the form that ParseLimit accepts.
func (l Limit) String() string {
	if l.share {
		return strconv.FormatFloat(float64(l.millionths)/1e4, 'f', -1, 64) + "%"
	}
	return strconv.FormatInt(l.count, 10)
}

// UnmarshalText is ParseLimit, for flags and settings.
func (l *Limit) UnmarshalText(text []byte) error {
	parsed, err := ParseLimit(string(text))
	if err == nil {
		*l = parsed
	}
	return err
}

// MarshalText is String.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }
