package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// table is written as Markdown, a row at a time.
type table struct{ head []string }

func newTable(head ...string) table {
	fmt.Println("\n| " + strings.Join(head, " | ") + " |")
	fmt.Println("|---" + strings.Repeat("|--:", len(head)-1) + "|")
	return table{head}
}

func (t table) row(cells ...any) {
	text := make([]string, len(cells))
	for i, c := range cells {
		text[i] = cell(c)
	}
	fmt.Println("| " + strings.Join(text, " | ") + " |")
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

// perTask is in microseconds.
func perTask(d time.Duration, tasks int) string {
	return fmt.Sprintf("%d µs", d.Microseconds()/int64(max(tasks, 1)))
}

func perSecond(n int, d time.Duration) string { return fmt.Sprintf("%.0f", float64(n)/d.Seconds()) }

func percent(part, whole float64) string { return fmt.Sprintf("%.1f%%", 100*part/whole) }

// say tells what is being done, beside the tables.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
