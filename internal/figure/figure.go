// Package figure formats numbers for people, in the same way for terminal and pages.
package figure

import (
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"
	"time"
)

// Number writes n with thousands separators.
func Number(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Count is a number of things, "1 task" and "2 tasks".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Number(n) + " " + noun + "s"
}

// IsAre is Count with the verb: "1 task is", "2 tasks are".
func IsAre(n int, noun string) string {
	if n == 1 {
		return Count(n, noun) + " is"
	}
	return Count(n, noun) + " are"
}

// Duration writes seconds in the two largest of their units.
func Duration(seconds float64) string {
	if math.IsNaN(seconds) || seconds < 0 {
		return "?"
	}
	s := int(math.Ceil(min(seconds, 1e12)))
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return units(s/60, "min", s%60, "s")
	case s < 2*86400:
		return units(s/3600, "h", s/60%60, "min")
	}
	return units(s/86400, "d", s/3600%24, "h")
}

func units(large int, unit string, small int, smaller string) string {
	if small == 0 {
		return Number(large) + " " + unit
	}
	return fmt.Sprintf("%s %s %d %s", Number(large), unit, small, smaller)
}

// Dollars writes an amount. A positive amount below a cent is "less than $0.01", not $0.00.
func Dollars(usd float64) string {
	switch {
	case usd > 0 && usd < 0.01:
		return "less than $0.01"
	case !(usd > 0 && usd < 1e12):
		return fmt.Sprintf("$%.2f", usd)
	}
	whole, cents := math.Modf(math.Round(usd*100) / 100)
	return fmt.Sprintf("$%s.%02.0f", Number(int(whole)), cents*100)
}

// Percent writes a share of 0 to 1. Only exactly 0 is 0%, and only exactly 1 is 100%.
func Percent(share float64) string {
	p := math.Round(share*1000) / 10
	switch {
	case share <= 0 || math.IsNaN(share):
		return "0%"
	case share >= 1:
		return fmt.Sprintf("%.0f%%", p)
	case p < 0.1:
		return "<0.1%"
	case p > 99.9:
		return "99.9%"
	}
	return fmt.Sprintf("%.1f%%", p)
}

// Clock writes seconds as h:mm:ss, for a column.
func Clock(seconds float64) string {
	s := int(max(0, min(seconds, 1e12)))
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// Rate writes tasks a second.
func Rate(perSecond float64) string {
	if perSecond < 10 {
		return fmt.Sprintf("%.1f a second", perSecond)
	}
	return Number(int(math.Round(min(perSecond, 1e12)))) + " a second"
}

// Moment writes a time to the second, in UTC.
func Moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Places describes from where to where a task takes its frame: "train/Common → test/Rare". del and
// dst are keys; dst may be "".
func Places(del []string, dst string) string {
	from := make([]string, len(del))
	for i, key := range del {
		from[i] = placeOf(key)
	}
	switch {
	case dst == "":
		return "from " + strings.Join(from, ", ")
	case len(del) == 0:
		return "to " + placeOf(dst)
	}
	return strings.Join(from, ", ") + " → " + placeOf(dst)
}

// placeOf is the part of a dataset's key between "ML/" and the file name.
func placeOf(key string) string {
	folder := "/" + path.Dir(key)
	if at := strings.LastIndex(folder, "/ML/"); at >= 0 {
		return folder[at+len("/ML/"):]
	}
	return folder
}
