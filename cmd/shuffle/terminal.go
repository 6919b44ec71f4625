package main

import (
	"cmp"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"github.com/angel-nft/google-shuffle/internal/secret"
	"github.com/angel-nft/google-shuffle/internal/show"
)

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := secret.Unwrap(w).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colorful reports whether to print colors. It respects https://no-color.org.
func colorful(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

const plainWidth = 80

// styleOf is the style for output to w. local is the folder of --local, which the commands in the
// output need too.
func styleOf(w io.Writer, local string) show.Style {
	s := show.Style{Color: colorful(w), Width: plainWidth, Command: program(), Local: local != ""}
	if local != "" && os.Getenv("SHUFFLE_LOCAL") == "" {
		s.Command += " --local " + shellWord(local)
	}
	s.Width = cmp.Or(terminalWidth(w), s.Width)
	return s
}

// terminalWidth is the width in columns, or 0 when it is unknown or w is no terminal.
func terminalWidth(w io.Writer) int {
	f, ok := secret.Unwrap(w).(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return max(width, 0)
}

var plainWord = regexp.MustCompile(`^[\w./~+,:@%=-]+$`)

// shellWord quotes a folder's name for a shell where that is necessary.
func shellWord(name string) string {
	if plainWord.MatchString(name) {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// program is the command that starts this program. A binary of go run is deleted when it ends, so
// its path cannot be used again.
func program() string {
	if path, err := os.Executable(); err == nil && strings.Contains(path, "go-build") {
		return "go run ./cmd/shuffle"
	}
	return "shuffle"
}

// screen is stderr, shared by logs and progress. While a bar is shown, log lines are printed above
// it.
type screen struct {
	stderr io.Writer

	mu    sync.Mutex
	above io.Writer // prints above the bar; nil without a bar
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.above != nil {
		if n, err := s.above.Write(b); err == nil {
			return n, nil
		}
	}
	return s.stderr.Write(b)
}

func (s *screen) setBar(above io.Writer) {
	if hiding, ok := s.stderr.(*secret.Writer); ok && above != nil {
		above = hiding.Over(above)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.above = above
}

// newLogger writes JSON, or lines for people on a terminal.
func newLogger(s *screen, level, format string) *zap.Logger {
	at, err := zapcore.ParseLevel(level)
	if err != nil {
		at = zapcore.InfoLevel // auto; the flag's enum allows no other value
	}
	enc := zap.NewProductionEncoderConfig()
	enc.EncodeTime = zapcore.RFC3339TimeEncoder
	enc.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(enc)
	if format == "console" || format == "auto" && isTerminal(s.stderr) {
		enc.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05")
		enc.EncodeLevel = zapcore.CapitalLevelEncoder
		if colorful(s.stderr) {
			enc.EncodeLevel = zapcore.CapitalColorLevelEncoder
		}
		return zap.New(consoleCore{Core: zapcore.NewCore(zapcore.NewConsoleEncoder(enc), zapcore.AddSync(s), at)})
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.AddSync(s), at))
}

// printJSON writes v as one object.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
