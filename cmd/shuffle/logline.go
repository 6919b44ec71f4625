package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"go.uber.org/zap/zapcore"

	"github.com/angel-nft/google-shuffle/internal/show"
)

// consoleCore writes log lines for people: the fields follow the message as "name value". Fields
// that only CloudWatch reads are left out.
type consoleCore struct {
	zapcore.Core
	with []zapcore.Field
}

func (c consoleCore) With(fields []zapcore.Field) zapcore.Core {
	return consoleCore{c.Core, slices.Concat(c.with, fields)}
}

func (c consoleCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

func (c consoleCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	words := []string{}
	for _, f := range slices.Concat(c.with, consoleFields(fields)) {
		value := zapcore.NewMapObjectEncoder()
		f.AddTo(value)
		if text := fmt.Sprint(value.Fields[f.Key]); text != "" {
			words = append(words, f.Key+" "+text)
		}
	}
	if len(words) > 0 {
		e.Message += " (" + strings.Join(words, ", ") + ")"
	}
	e.Message = show.Clean(e.Message)
	return c.Core.Write(e, nil)
}

// metricsField is the field of CloudWatch's embedded metric format. It names the metrics of a line.
// Names of metrics begin with a capital letter.
const metricsField = "_aws"

// consoleFields returns the fields for people: without metrics, and without the note about alarms
// that a line with metrics has.
func consoleFields(fields []zapcore.Field) []zapcore.Field {
	if !slices.ContainsFunc(fields, func(f zapcore.Field) bool { return f.Key == metricsField }) {
		return fields
	}
	return slices.DeleteFunc(slices.Clone(fields), func(f zapcore.Field) bool {
		return f.Key == metricsField || f.Key == "alarms" || unicode.IsUpper(rune(f.Key[0]))
	})
}
