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

// isTerminal says whether people read what is written there.
func isTerminal(w io.Writer) bool {
	f, ok := secret.Unwrap(w).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colorful heeds https://no-color.org.
func colorful(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

const plainWidth = 80

// styleOf is how to print there. local is the folder that the command line names, which the
// commands to type need too.
func styleOf(w io.Writer, local string) show.Style {
	s := show.Style{Color: colorful(w), Width: plainWidth, Command: program(), Local: local != ""}
	if local != "" && os.Getenv("SHUFFLE_LOCAL") == "" {
		s.Command += " --local " + word(local)
	}
	s.Width = cmp.Or(terminalWidth(w), s.Width)
	return s
}

// terminalWidth is in columns; 0 when it is unknown, or no terminal.
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

// word is a folder's name as a shell takes it for one word.
func word(name string) string {
	if plainWord.MatchString(name) {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// program is how the program is called. The binary that go run makes is gone when it ends.
func program() string {
	if path, err := os.Executable(); err == nil && strings.Contains(path, "go-build") {
		return "go run ./cmd/shuffle"
	}
	return "shuffle"
}

// screen is stderr, shared by the logs and the progress. While a bar is shown, log lines go above
// it.
type screen struct {
	stderr io.Writer

	mu    sync.Mutex
	above io.Writer // the bar's, or nil
}

func newScreen(stderr io.Writer) *screen { return &screen{stderr: stderr} }

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

func (s *screen) put(above io.Writer) {
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
		at = zapcore.InfoLevel // auto; the flag's enum lets nothing else through
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
		return zap.New(forPeople{Core: zapcore.NewCore(zapcore.NewConsoleEncoder(enc), zapcore.AddSync(s), at)})
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
