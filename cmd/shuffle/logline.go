package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"go.uber.org/zap/zapcore"

	"github.com/angel-nft/google-shuffle/internal/show"
)

// forPeople writes log lines in words: the fields come after the message as "name value", and what
// is for CloudWatch only is left out.
type forPeople struct {
	zapcore.Core
	with []zapcore.Field
}

func (c forPeople) With(fields []zapcore.Field) zapcore.Core {
	return forPeople{c.Core, slices.Concat(c.with, fields)}
}

func (c forPeople) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

func (c forPeople) Write(e zapcore.Entry, fields []zapcore.Field) error {
	words := []string{}
	for _, f := range slices.Concat(c.with, readable(fields)) {
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

// metricsField is the field by which CloudWatch finds the metrics of a line, which have names in
// capitals.
const metricsField = "_aws"

// readable are the fields for people. A line with metrics has them for CloudWatch, and a note about
// its alarms.
func readable(fields []zapcore.Field) []zapcore.Field {
	if !slices.ContainsFunc(fields, func(f zapcore.Field) bool { return f.Key == metricsField }) {
		return fields
	}
	return slices.DeleteFunc(slices.Clone(fields), func(f zapcore.Field) bool {
		return f.Key == metricsField || f.Key == "alarms" || unicode.IsUpper(rune(f.Key[0]))
	})
}
