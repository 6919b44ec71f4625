package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var unexported = cmp.AllowUnexported(spread{}, used{})

func TestSpread(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		all    []float64
		want   spread
		text   string
		places int
	}{
		{"nothing", nil, spread{}, "0 s", 0},
		{"one", []float64{2.04}, spread{2.04, 2.04, 2.04}, "2.0 s", 1},
		{"three in no order", []float64{9, 1, 4}, spread{4, 1, 9}, "4 s (1–9)", 0},
		{"an even number", []float64{4, 1, 2, 8}, spread{3, 1, 8}, "3.0 s (1.0–8.0)", 1},
		{"alike but for what is not shown", []float64{1.01, 1.02, 1.03}, spread{1.02, 1.01, 1.03}, "1.0 s", 1},
	} {
		got := spreadOf(tc.all...)
		if !cmp.Equal(got, tc.want, unexported, cmpopts.EquateApprox(0, 1e-9)) || got.in(" s", tc.places) != tc.text {
			t.Errorf("%s: %+v as %q, want %+v as %q", tc.name, got, got.in(" s", tc.places), tc.want, tc.text)
		}
	}
}

func TestRounds(t *testing.T) {
	t.Parallel()
	var r rounds
	for i, wall := range []time.Duration{3 * time.Second, time.Second, 2 * time.Second} {
		m := measured{used: used{wall: wall, cpu: 100 * wall / 1000, memory: int64(i+1) << 20}}
		m.server.Connections = 10 * i
		r = append(r, m)
	}
	for _, tc := range []struct{ got, want string }{
		{r.wall(), "2.0 s (1.0–3.0)"},
		{r.cpuPerTask(1000), "200 µs (100–300)"},
		{r.cpuPerTask(0), "200000 µs (100000–300000)"},
		{r.memory(), "2 MB (1–3)"},
		{r.connections(), "10 (0–20)"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
	if got := r.typical().wall; got != 2*time.Second {
		t.Errorf("the typical round took %s", got)
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		done    map[string]int
		workers int
		want    spread
	}{
		{"all the same", map[string]int{"a": 5, "b": 5}, 2, spread{1, 1, 1}},
		{"one does more", map[string]int{"a": 30, "b": 10}, 2, spread{1, 0.5, 1.5}},
		{"one does nothing", map[string]int{"a": 10, "b": 20}, 3, spread{1, 0, 2}},
	} {
		if got := share(tc.done, tc.workers); !cmp.Equal(got, tc.want, unexported, cmpopts.EquateApprox(0, 1e-9)) {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	table := newTable(&out, "program", "wall", "share", "memory", "tasks")
	table.row("shuffle", 1500*time.Millisecond, 0.333, bytesSize(5<<20), 12)
	const want = "\n| program | wall | share | memory | tasks |\n|---|--:|--:|--:|--:|\n| shuffle | 1.5 s | 0.33 | 5 MB | 12 |\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
