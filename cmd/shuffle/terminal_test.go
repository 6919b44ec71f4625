package main

import (
	"bytes"
	"strings"
	"testing"

	"go.uber.org/zap"
)

func TestWord(t *testing.T) {
	for name, want := range map[string]string{
		"./shuffle-demo": "./shuffle-demo", "my dir": "'my dir'", "Jonny's": `'Jonny'\''s'`, "$HOME;x": "'$HOME;x'", "": "''",
	} {
		if got := word(name); got != want {
			t.Errorf("%s as a word: %s, expected %s", name, got, want)
		}
	}
}

// CloudWatch's metrics are in the JSON lines, and not in those for people.
func TestMetricsInLogs(t *testing.T) {
	for format, want := range map[string]bool{"json": true, "auto": true, "console": false} {
		var out bytes.Buffer
		log := newLogger(newScreen(&out), "info", format)
		log.With(zap.String("run", "r")).Info("run ended", zap.Any("_aws", map[string]int{"Timestamp": 1}), zap.Int("tasks", 7))
		log.Debug("not at this level")
		text := out.String()
		if strings.Contains(text, "_aws") != want || !strings.Contains(text, `"tasks"`) || !strings.Contains(text, `"run"`) || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: %s", format, text)
		}
	}
}
