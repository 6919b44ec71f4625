package queue

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// DefaultVisibility is the visibility timeout of a queue that is created without one.
const DefaultVisibility = 30 * time.Second

const (
	// Retention is how long every queue keeps its messages, the maximum of SQS.
	Retention = 14 * 24 * time.Hour
	// MinMessageBytes is the smallest acceptable limit for a message's size. A worker's results
	// have up to about 200 kB.
	MinMessageBytes = 256 << 10
)

// Spec describes a queue. Setup of an adapter creates the queue, or changes the attributes that
// differ.
type Spec struct {
	Name string // a name, or for SQS the URL of an existing queue
	// VisibilityTimeout is in whole seconds, as in SQS, at most MaxVisibility; 0 is
	// DefaultVisibility.
	VisibilityTimeout time.Duration
	// MaxReceiveCount and DeadLetterQueue (the name or URL of an existing queue) are the redrive
	// policy. A message that has been received this often is moved there instead of being received
	// again. 0 and "" mean no policy.
	MaxReceiveCount int
	DeadLetterQueue string
}

// MaxMaxReceiveCount is the largest number of receives in a redrive policy (SQS API,
// SetQueueAttributes).
const MaxMaxReceiveCount = 1000

// Queue names have up to 80 of these characters (SQS API, CreateQueue). The program does not use
// FIFO queues, whose names end in .fifo: they deliver only one batch of a group at a time.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// IsURL reports whether the URL of a queue is given, and not its name.
func IsURL(nameOrURL string) bool { return strings.Contains(nameOrURL, "://") }

// Validate returns an error when SQS would refuse the spec.
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

// Visibility returns the visibility timeout, or the default when it is 0.
func (s Spec) Visibility() time.Duration {
	if s.VisibilityTimeout == 0 {
		return DefaultVisibility
	}
	return s.VisibilityTimeout
}

// Changes describes, for people, what Setup changes in an existing queue.
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

// BaseName returns the name of a queue from its name or its URL.
func BaseName(nameOrURL string) string { return nameOrURL[strings.LastIndexByte(nameOrURL, '/')+1:] }
