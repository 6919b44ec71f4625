package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/joho/godotenv"
)

// Environment is the result of LoadEnv.
type Environment struct {
	// FromFile has the variables whose values come from the file.
	FromFile map[string]bool
}

// LoadEnv prepares the process's environment. It sets the variables of a .env file, except those
// that are already set. In both an empty variable counts as not set. A missing file counts as
// empty. Quotes that a shell, a container runtime or an editor left around values are removed. The
// errors contain no value, because .env files have secrets.
func LoadEnv(file string) (Environment, error) {
	env := Environment{FromFile: map[string]bool{}}
	if err := mend(os.Environ()); err != nil {
		return env, err
	}
	body, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return env, nil
	}
	if err != nil {
		return env, fmt.Errorf("read %s: %w", file, err)
	}
	values, err := parseEnv(file, body)
	if err != nil {
		return env, err
	}
	for name, value := range values {
		value = Clean(value)
		if value == "" || os.Getenv(name) != "" {
			continue
		}
		if err := checkValue(name, value); err != nil {
			return env, fmt.Errorf("read %s: %w", file, err)
		}
		if err := os.Setenv(name, value); err != nil {
			return env, fmt.Errorf("read %s: the value of %s cannot be set: expected text without NUL characters", file, name)
		}
		env.FromFile[name] = true
	}
	return env, nil
}

// ours matches the variables that this program and its libraries read.
var ours = regexp.MustCompile(`^(SHUFFLE|AWS|GOOGLE)_`)

// mend cleans the variables of the environment. For example, Docker's --env-file keeps quotes and
// carriage returns.
func mend(environ []string) error {
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		cleaned := Clean(value)
		if err := checkValue(name, cleaned); err != nil {
			return fmt.Errorf("the environment: %w", err)
		}
		switch {
		case !ours.MatchString(name):
		case cleaned == "":
			if err := os.Unsetenv(name); err != nil {
				return fmt.Errorf("clean the variable %s: %w", name, err)
			}
		case cleaned != value:
			if err := os.Setenv(name, cleaned); err != nil {
				return fmt.Errorf("clean the variable %s: %w", name, err)
			}
		}
	}
	return nil
}

// checkValue refuses a value that contains another variable. Messages quote values, and the other
// variable may be secret.
func checkValue(name, value string) error {
	inside := another.FindStringSubmatch(value)
	if inside == nil || !ours.MatchString(name) || strings.HasPrefix(value, "{") {
		return nil
	}
	return fmt.Errorf("the value of %s holds another variable, %s: is the line end before it missing?", name, inside[1])
}

// another matches an assignment inside a value.
var another = regexp.MustCompile(`(?:^|[^A-Z0-9_])((?:SHUFFLE|AWS|GOOGLE)_[A-Z0-9_]{2,60})\s*=`)

// byteOrderMark is what some editors write at the beginning of a file.
const byteOrderMark = "\uFEFF"

// Clean removes blanks, line ends and byte order marks around a value, and then one pair of quotes.
func Clean(value string) string {
	value = strings.Trim(value, " \t\r\n"+byteOrderMark)
	if n := len(value); n >= 2 && value[0] == value[n-1] && (value[0] == '"' || value[0] == '\'') {
		return strings.Trim(value[1:n-1], " \t\r\n"+byteOrderMark)
	}
	return value
}

// maxBytes is far more than a list of settings needs.
const maxBytes = 64 << 10

// parseEnv reads the variables. It does not use godotenv's errors, because they quote the file from
// the fault to its end.
func parseEnv(file string, body []byte) (map[string]string, error) {
	body = bytes.TrimPrefix(body, []byte(byteOrderMark))
	if len(body) > maxBytes {
		return nil, fmt.Errorf("read %s: it has %d bytes; expected at most %d bytes of lines NAME=VALUE", file, len(body), maxBytes)
	}
	if !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0 {
		return nil, fmt.Errorf("read %s: it is not UTF-8 text; save it as UTF-8 (Windows PowerShell writes UTF-16 by itself)", file)
	}
	body = bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	lines := strings.SplitAfter(string(body)+"\n", "\n")
	values, ok := parseLines(lines)
	if ok {
		return values, nil
	}
	n, name := faultyLine(lines), ""
	if m := showable.FindStringSubmatch(lines[n]); m != nil {
		name = " (" + m[1] + ")"
	}
	return nil, fmt.Errorf("read %s: line %d%s: expected NAME=VALUE, with quotes around a value closed, and # before a comment", file, n+1, name)
}

// validName matches a variable's name in a shell.
var validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func parseLines(lines []string) (map[string]string, bool) {
	values, err := godotenv.Unmarshal(strings.Join(lines, ""))
	if err != nil {
		return nil, false
	}
	for name := range values {
		if !validName.MatchString(name) {
			return nil, false
		}
	}
	return values, true
}

// faultyLine returns the index of the first line of the statement that cannot be parsed. A quoted
// value may span several lines.
func faultyLine(lines []string) int {
	first := 0
	for end := 1; end <= len(lines); end++ {
		if _, ok := parseLines(lines[first:end]); ok {
			first = end
		}
	}
	return min(first, len(lines)-1)
}

// showable matches a name that cannot be a secret: capitals with an underscore. The line may
// contain anything.
var showable = regexp.MustCompile(`^\s*(?:export\s+)?([A-Z][A-Z0-9]{0,30}(?:_[A-Z0-9]{1,30}){1,6})\s*[=:]`)
