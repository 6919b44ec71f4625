package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/config"
)

// refusals has each setting with a value that is refused, and what is to be told of it beside the
// flag and the variable.
var refusals = []struct {
	field  string
	change func(*config.Config)
	found  string
	expect string
}{
	{"Prefix", func(c *config.Config) { c.Prefix = "a/../b" }, `"a/../b"`, `without empty, "." or ".." parts`},
	{"Prefix", func(c *config.Config) { c.Prefix = "a//b" }, `"a//b"`, "a path"},
	{"ImageSize", func(c *config.Config) { c.ImageSize = "" }, `""`, "the name of a folder"},
	{"ImageSize", func(c *config.Config) { c.ImageSize = "full/size" }, `"full/size"`, "the name of a folder"},
	{"TasksQueue", func(c *config.Config) { c.TasksQueue = "tasks.fifo" }, `"tasks.fifo"`, "1 to 80 letters, digits, - and _"},
	{"ResultsQueue", func(c *config.Config) { c.ResultsQueue = "" }, `""`, "or a queue's URL"},
	{"DeadLetterQueue", func(c *config.Config) { c.DeadLetterQueue = "https://sqs.us-west-2.amazonaws.com/1/x.fifo" },
		`"https://sqs.us-west-2.amazonaws.com/1/x.fifo"`, "a FIFO queue wants a group"},
	{"DeadLetterQueue", func(c *config.Config) { c.DeadLetterQueue = "d d" }, `"d d"`, "1 to 80"},
	{"TasksQueue", func(c *config.Config) { c.TasksQueue = c.ResultsQueue }, `"google-shuffle-results"`, "three different queues"},
	{"TasksQueue", func(c *config.Config) { c.DeadLetterQueue = c.TasksQueue }, `"google-shuffle-tasks"`, "SHUFFLE_DEAD_LETTER_QUEUE"},
	{"VisibilityTimeout", func(c *config.Config) { c.VisibilityTimeout = 9 * time.Second }, "9s", "10s"},
	{"VisibilityTimeout", func(c *config.Config) { c.VisibilityTimeout = 10500 * time.Millisecond }, "10.5s", "whole seconds"},
	{"VisibilityTimeout", func(c *config.Config) { c.VisibilityTimeout = 13 * time.Hour }, "13h0m0s", "12h"},
	{"MaxReceiveCount", func(c *config.Config) { c.MaxReceiveCount = 0 }, "0", "1 to 1000"},
	{"MaxReceiveCount", func(c *config.Config) { c.MaxReceiveCount = 1001 }, "1001", "1 to 1000"},
	{"Classes", func(c *config.Config) { c.Classes = nil }, `""`, "different names of folders"},
	{"Classes", func(c *config.Config) { c.Classes = []string{"Rare", "rare"} }, `"Rare,rare"`, "different"},
	{"Classes", func(c *config.Config) { c.Classes = []string{"Rare/Red"} }, `"Rare/Red"`, "names of folders"},
	{"Classes", func(c *config.Config) { c.Classes = []string{strings.Repeat("R", 201)} }, `"` + strings.Repeat("R", 201) + `"`, "up to 200 bytes"},
	{"Classes", func(c *config.Config) { c.Classes = []string{"Rare", ".."} }, `"Rare,.."`, "names of folders"},
	{"SheetsEndpoint", func(c *config.Config) { c.SheetsEndpoint = "127.0.0.1:8099" }, `"127.0.0.1:8099"`, "http:// or https://"},
	{"SheetsEndpoint", func(c *config.Config) { c.SheetsEndpoint = "sheets.example.com/v4" }, `"sheets.example.com/v4"`, "http:// or https://"},
	{"SheetsEndpoint", func(c *config.Config) { c.SheetsEndpoint = "https://" }, `"https://"`, "http:// or https://"},
	{"Classes", func(c *config.Config) { c.Classes = []string{"Rare", "", "Common"} }, `"Rare,,Common"`, "separated by commas"},
	{"Group", func(c *config.Config) { c.Group = -time.Second }, "-1s", "whole seconds, or 0"},
	{"Group", func(c *config.Config) { c.Group = 1500 * time.Millisecond }, "1.5s", "whole seconds, or 0"},
	{"Guard", func(c *config.Config) { c.Guard = -1 }, "-1", "0 or more frames"},
	{"Subsample", func(c *config.Config) { c.Subsample = 0 }, "0", "1 or more"},
	{"MinPerClass", func(c *config.Config) { c.MinPerClass = -1 }, "-1", "0 for no warnings"},
	{"Stall", func(c *config.Config) { c.Stall = 0 }, "0s", "1s at least"},
	{"PlannerLease", func(c *config.Config) { c.PlannerLease = 4 * time.Second }, "4s", "5s at least"},
	{"Concurrency", func(c *config.Config) { c.Concurrency = 0 }, "0", "1 to 5000"},
	{"Concurrency", func(c *config.Config) { c.Concurrency = 5001 }, "5001", "1 to 5000"},
	{"Drain", func(c *config.Config) { c.Drain = -1 }, "-1ns", "0 or more"},
	{"AlertsTopic", func(c *config.Config) { c.AlertsTopic = "google-shuffle-alerts" }, `"google-shuffle-alerts"`, "the ARN of an SNS topic"},
	{"AlertsTopic", func(c *config.Config) { c.AlertsTopic = "arn:aws:sqs:us-west-2:000000000000:alerts" }, `"arn:aws:sqs:us-west-2:000000000000:alerts"`, "the ARN of an SNS topic"},
	{"KeepRuns", func(c *config.Config) { c.KeepRuns = -1 }, "-1", "1 or more, or 0 for all"},
	{"KeepVersions", func(c *config.Config) { c.KeepVersions = -1 }, "-1", "1 or more, or 0 for all"},
	{"Listings", func(c *config.Config) { c.Listings = 0 }, "0", "1 or more"},
}

func TestValidate(t *testing.T) {
	for _, tc := range refusals {
		t.Run(tc.field+" "+tc.found, func(t *testing.T) {
			c := defaults(t)
			tc.change(&c)
			err := c.Validate()
			if err == nil {
				t.Fatal("it is taken")
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one refusal: %v", err)
			}
			start := "--" + flagOf(tc.field) + " " + tc.found + " (" + variableOf(tc.field) + "): expected "
			if !strings.HasPrefix(err.Error(), start) || !strings.Contains(err.Error(), tc.expect) {
				t.Errorf("%v\nwant %s…%s…", err, start, tc.expect)
			}
		})
	}
}

// One error reports all wrong settings.
func TestValidateTellsAll(t *testing.T) {
	c := defaults(t)
	c.Guard, c.Subsample, c.Listings = -1, 0, 0
	err := c.Validate()
	if err == nil {
		t.Fatal("it is taken")
	}
	for _, flag := range []string{"--guard", "--subsample", "--listings"} {
		if !strings.Contains(err.Error(), flag) {
			t.Errorf("%v does not name %s", err, flag)
		}
	}
}

// Values at the bounds are taken.
func TestValidateBounds(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"no prefix":           func(c *config.Config) { c.Prefix = "" },
		"a prefix of folders": func(c *config.Config) { c.Prefix = "a/b" },
		"short times": func(c *config.Config) {
			c.VisibilityTimeout, c.Stall, c.PlannerLease, c.Drain = 10*time.Second, time.Second, 5*time.Second, 0
		},
		"long visibility":  func(c *config.Config) { c.VisibilityTimeout = 12 * time.Hour },
		"one of each":      func(c *config.Config) { c.MaxReceiveCount, c.Concurrency, c.Listings, c.Subsample = 1, 1, 1, 1 },
		"most of each":     func(c *config.Config) { c.MaxReceiveCount, c.Concurrency = 1000, 5000 },
		"one class":        func(c *config.Config) { c.Classes = []string{"Rare"} },
		"a class of words": func(c *config.Config) { c.Classes = []string{"Very rare", "Común"} },
	} {
		t.Run(name, func(t *testing.T) {
			c := defaults(t)
			change(&c)
			if err := c.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}
