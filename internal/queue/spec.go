package queue

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// DefaultVisibility is the visibility timeout that SQS gives a queue when it is told none.
const DefaultVisibility = 30 * time.Second

const (
	// Retention is how long every queue is to keep its messages: the most that SQS allows.
	Retention = 14 * 24 * time.Hour
	// MinMessageBytes is what a message may have at least: a worker's results have up to about 200 kB.
	MinMessageBytes = 256 << 10
)

// Spec is how a queue is to be. Setup of an adapter creates it so, or changes what differs.
type Spec struct {
	Name string // a name, or with SQS the URL of a queue that exists
	// VisibilityTimeout is in whole seconds, as in SQS, at most MaxVisibility; 0 is DefaultVisibility.
	VisibilityTimeout time.Duration
	// MaxReceiveCount and DeadLetterQueue (a name or URL, of a queue that exists) are the redrive policy: a message that is
	// received more often than that goes there instead. 0 and "": no policy.
	MaxReceiveCount int
	DeadLetterQueue string
}

// MaxMaxReceiveCount is the most receives that a redrive policy may allow (SQS API, SetQueueAttributes).
const MaxMaxReceiveCount = 1000

// Queue names have up to 80 of these characters (SQS API, CreateQueue). FIFO queues, which end in .fifo, are not for
// the program: they hold one batch of a group at a time.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// IsURL tells the URL of a queue from a name.
func IsURL(nameOrURL string) bool { return strings.Contains(nameOrURL, "://") }

// Validate says what of the spec SQS would refuse.
func (s Spec) Validate() error {
	for _, name := range []string{s.Name, s.DeadLetterQueue} {
		if name != "" && !IsURL(name) && !namePattern.MatchString(name) {
			return fmt.Errorf("queue name %q: want 1 to 80 letters, digits, hyphens and underscores", name)
		}
	}
	switch {
	case s.Name == "":
		return fmt.Errorf("queue name is empty")
	case s.VisibilityTimeout < 0 || s.VisibilityTimeout > MaxVisibility:
		return fmt.Errorf("queue %s: visibility timeout %s: want 0s to %s", s.Name, s.VisibilityTimeout, MaxVisibility)
	case s.VisibilityTimeout%time.Second != 0:
		return fmt.Errorf("queue %s: visibility timeout %s: want whole seconds", s.Name, s.VisibilityTimeout)
	case (s.MaxReceiveCount == 0) != (s.DeadLetterQueue == ""):
		return fmt.Errorf("queue %s: a redrive policy needs both a dead-letter queue and a receive count", s.Name)
	case s.MaxReceiveCount < 0 || s.MaxReceiveCount > MaxMaxReceiveCount:
		return fmt.Errorf("queue %s: max receive count %d: want 1 to %d", s.Name, s.MaxReceiveCount, MaxMaxReceiveCount)
	case s.DeadLetterQueue == s.Name:
		return fmt.Errorf("queue %s: it cannot be its own dead-letter queue", s.Name)
	}
	return nil
}

// Visibility is the visibility timeout, with the default put in.
func (s Spec) Visibility() time.Duration {
	if s.VisibilityTimeout == 0 {
		return DefaultVisibility
	}
	return s.VisibilityTimeout
}

// Changes says, for people, what Setup changes of a queue that exists.
func (s Spec) Changes(has Attributes) (changes []string) {
	change := func(differs bool, format string, args ...any) {
		if differs {
			changes = append(changes, fmt.Sprintf(format, args...))
		}
	}
	change(has.VisibilityTimeout != s.Visibility(), "visibility timeout %s → %s", has.VisibilityTimeout, s.Visibility())
	change(has.MaxReceiveCount != s.MaxReceiveCount || has.DeadLetterQueue != BaseName(s.DeadLetterQueue),
		"%s → %s", redrive(has.DeadLetterQueue, has.MaxReceiveCount), redrive(s.DeadLetterQueue, s.MaxReceiveCount))
	change(has.Delay > 0, "delay %s → 0s", has.Delay)
	change(has.Retention > 0 && has.Retention != Retention, "retention %s → %s", has.Retention, Retention)
	change(has.MaxMessageBytes > 0 && has.MaxMessageBytes < MinMessageBytes, "largest message %d → %d bytes", has.MaxMessageBytes, MinMessageBytes)
	return changes
}

func redrive(deadLetterQueue string, count int) string {
	if deadLetterQueue == "" {
		return "no redrive"
	}
	return fmt.Sprintf("redrive to %s after %d receives", deadLetterQueue, count)
}

// BaseName is the name of a queue that is given by its name or its URL.
func BaseName(nameOrURL string) string { return nameOrURL[strings.LastIndexByte(nameOrURL, '/')+1:] }
