package show

import (
	"math"
	"testing"
)

func TestNumbers(t *testing.T) {
	tests := []struct{ got, want string }{
		{number(0), "0"}, {number(999), "999"}, {number(1000), "1,000"}, {number(345_600), "345,600"}, {number(-1_234_567), "-1,234,567"},
		{number(math.MinInt), "-9,223,372,036,854,775,808"},
		{count(1, "task"), "1 task"}, {count(0, "task"), "0 tasks"}, {isAre(1, "task"), "1 task is"}, {isAre(12, "task"), "12 tasks are"},
		{duration(0), "0 s"}, {duration(0.2), "1 s"}, {duration(59.1), "1 min"}, {duration(83), "1 min 23 s"}, {duration(7325), "2 h 2 min"},
		{duration(3600), "1 h"}, {duration(86400 * 3.5), "3 d 12 h"}, {duration(-1), "?"}, {duration(math.NaN()), "?"},
		{clock(0), "0:00:00"}, {clock(83.9), "0:01:23"}, {clock(360_000), "100:00:00"},
		{dollars(0), "$0.00"}, {dollars(0.0004), "less than $0.01"}, {dollars(1.8123), "$1.81"}, {dollars(1.999), "$2.00"}, {dollars(12_345.6), "$12,345.60"},
		{percent(0), "0%"}, {percent(1), "100%"}, {percent(0.00001), "<0.1%"}, {percent(0.99999), "99.9%"}, {percent(0.4213), "42.1%"}, {percent(math.NaN()), "0%"},
		{rate(0.26), "0.3 a second"}, {rate(2411.7), "2,412 a second"}, {rate(math.Inf(1)), "1,000,000,000,000 a second"},
	}
	for i, test := range tests {
		if test.got != test.want {
			t.Errorf("%d: %s, want %s", i, test.got, test.want)
		}
	}
}
