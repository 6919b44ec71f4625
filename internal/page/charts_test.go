package page

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/state"
)

func TestBar(t *testing.T) {
	for _, tc := range []struct {
		all, done, bad int
		want           Bar
	}{
		{0, 0, 0, Bar{0, 0, 1000}},
		{100, 0, 0, Bar{0, 0, 1000}},
		{100, 50, 0, Bar{500, 0, 1000}},
		{345_600, 345_599, 1, Bar{990, 10, 1000}}, // a single one is visible
		{3, 0, 3, Bar{0, 1000, 1000}},
	} {
		if got := newBar(tc.all, tc.done, tc.bad); got != tc.want {
			t.Errorf("newBar(%d, %d, %d) = %+v, want %+v", tc.all, tc.done, tc.bad, got, tc.want)
		}
	}
}

func TestThroughput(t *testing.T) {
	if got := newThroughput([]state.Sample{{Second: 1, Accounted: 5}}); got.Line != "" {
		t.Errorf("one sample draws %q", got.Line)
	}
	// 100 a second for a second, 50 for two, and a redrive.
	got := newThroughput([]state.Sample{{Second: 10, Accounted: 0}, {Second: 11, Accounted: 100}, {Second: 13, Accounted: 200}, {Second: 14, Accounted: 190}})
	want := Throughput{
		Line: "M0.0 4.0H250.0L250.0 52.0H750.0L750.0 100.0H1000.0", Area: "M0 100L0.0 4.0H250.0L250.0 52.0H750.0L750.0 100.0H1000.0V100Z",
		Highest: 100, Last: 0, Seconds: 4, Width: 1000, Height: 100,
		Rates: []string{"100", "50", "0"}, Times: []string{"00:00:10", "00:00:12", "00:00:14 UTC"}, Grid: "M0 4.0H1000M0 52.0H1000M0 100.0H1000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
