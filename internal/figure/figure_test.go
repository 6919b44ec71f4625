package figure

import (
	"math"
	"testing"
)

func TestNumbers(t *testing.T) {
	tests := []struct{ got, want string }{
		{Number(0), "0"}, {Number(999), "999"}, {Number(1000), "1,000"}, {Number(345_600), "345,600"}, {Number(-1_234_567), "-1,234,567"},
		{Number(math.MinInt), "-9,223,372,036,854,775,808"},
		{Count(1, "task"), "1 task"}, {Count(0, "task"), "0 tasks"}, {IsAre(1, "task"), "1 task is"}, {IsAre(12, "task"), "12 tasks are"},
		{Duration(0), "0 s"}, {Duration(0.2), "1 s"}, {Duration(59.1), "1 min"}, {Duration(83), "1 min 23 s"}, {Duration(7325), "2 h 2 min"},
		{Duration(3600), "1 h"}, {Duration(86400 * 3.5), "3 d 12 h"}, {Duration(-1), "?"}, {Duration(math.NaN()), "?"},
		{Clock(0), "0:00:00"}, {Clock(83.9), "0:01:23"}, {Clock(360_000), "100:00:00"},
		{Dollars(0), "$0.00"}, {Dollars(0.0004), "less than $0.01"}, {Dollars(1.8123), "$1.81"}, {Dollars(1.999), "$2.00"}, {Dollars(12_345.6), "$12,345.60"},
		{Percent(0), "0%"}, {Percent(1), "100%"}, {Percent(0.00001), "<0.1%"}, {Percent(0.99999), "99.9%"}, {Percent(0.4213), "42.1%"}, {Percent(math.NaN()), "0%"},
		{Rate(0.26), "0.3 a second"}, {Rate(2411.7), "2,412 a second"}, {Rate(math.Inf(1)), "1,000,000,000,000 a second"},
		{Places(nil, "tt/ML/test/Rare/F.jpg"), "to test/Rare"}, {Places([]string{"ML/train/F.jpg"}, ""), "from train"},
		{Places([]string{"tt/ML/train/Common/F.jpg", "tt/ML/test/Rare/F.jpg"}, "tt/ML/test/Junk/F.jpg"), "train/Common, test/Rare → test/Junk"}, {Places(nil, "F"), "to /."},
	}
	for i, test := range tests {
		if test.got != test.want {
			t.Errorf("%d: %s, want %s", i, test.got, test.want)
		}
	}
}
