package main

import (
	"bytes"
	"errors"
	"regexp"
	"testing"
	"time"

	"go.uber.org/zap"
)

func TestWord(t *testing.T) {
	for name, want := range map[string]string{
		"./shuffle-demo": "./shuffle-demo", "my dir": "'my dir'", "Jonny's": `'Jonny'\''s'`, "$HOME;x": "'$HOME;x'", "": "''",
	} {
		if got := shellWord(name); got != want {
			t.Errorf("%s as a word: %s, expected %s", name, got, want)
		}
	}
}

// CloudWatch's metrics are in the JSON lines. Log lines for people have neither metrics nor JSON.
func TestMetricsInLogs(t *testing.T) {
	for format, want := range map[string]string{
		"json":    `{"level":"info","ts":"…","msg":"run ended","run":"r","reason":"","tasks":7,"RunFailed":1,"_aws":{"Timestamp":1}}`,
		"auto":    `{"level":"info","ts":"…","msg":"run ended","run":"r","reason":"","tasks":7,"RunFailed":1,"_aws":{"Timestamp":1}}`,
		"console": "…\tINFO\trun ended (run r, tasks 7)",
	} {
		var out bytes.Buffer
		log := newLogger(&screen{stderr: &out}, "info", format)
		log.With(zap.String("run", "r")).Info("run ended", zap.String("reason", ""), zap.Int("tasks", 7), zap.Int("RunFailed", 1), zap.Any("_aws", map[string]int{"Timestamp": 1}))
		log.Debug("not at this level")
		if text := clockTime.ReplaceAllString(out.String(), "…"); text != want+"\n" {
			t.Errorf("%s: %swant %s", format, text, want)
		}
	}
}

var clockTime = regexp.MustCompile(`([0-9-]+T)?[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9:]{5})?`)

// A log line for people has all fields of lines without metrics, and no control characters for a
// terminal.
func TestLogLineForPeople(t *testing.T) {
	var out bytes.Buffer
	newLogger(&screen{stderr: &out}, "info", "console").Warn("failed", zap.Error(errors.New("a\x1b[31mb")), zap.Duration("for", time.Second), zap.String("Prefix", "p"))
	if text := clockTime.ReplaceAllString(out.String(), "…"); text != "…\tWARN\tfailed (error a\uFFFD[31mb, for 1s, Prefix p)\n" {
		t.Errorf("%q", text)
	}
}
