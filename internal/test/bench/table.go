package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// table writes a Markdown table, a row at a time.
type table struct{ out *strings.Builder }

func newTable(out *strings.Builder, head ...string) table {
	fmt.Fprintln(out, "\n| "+strings.Join(head, " | ")+" |")
	fmt.Fprintln(out, "|---"+strings.Repeat("|--:", len(head)-1)+"|")
	return table{out}
}

func (t table) row(cells ...any) {
	text := make([]string, len(cells))
	for i, c := range cells {
		text[i] = cell(c)
	}
	fmt.Fprintln(t.out, "| "+strings.Join(text, " | ")+" |")
}

func cell(c any) string {
	switch c := c.(type) {
	case time.Duration:
		return fmt.Sprintf("%.1f s", c.Seconds())
	case float64:
		return fmt.Sprintf("%.2f", c)
	case bytesSize:
		return fmt.Sprintf("%d MB", int64(c)>>20)
	}
	return fmt.Sprint(c)
}

type bytesSize int64

// say prints the present step to stderr; the tables go elsewhere.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
