package config_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/angel-nft/google-shuffle/internal/config"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/rows"
)

// parse reads arguments and the environment as the command does.
func parse(t *testing.T, args ...string) config.Config {
	t.Helper()
	var c struct{ config.Config }
	k, err := kong.New(&c, kong.DefaultEnvars("SHUFFLE"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Parse(args); err != nil {
		t.Fatal(err)
	}
	return c.Config
}

func limit(t *testing.T, s string) rows.Limit {
	t.Helper()
	l, err := rows.ParseLimit(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func diff(want, got config.Config) string {
	return cmp.Diff(want, got, cmp.AllowUnexported(rows.Limit{}))
}

// defaults are those that the documentation and the design name.
func defaults(t *testing.T) config.Config {
	return config.Config{
		Bucket: "s3://media.angel-nft.com", Prefix: "tuttle_twins", Queues: "sqs://", Sheets: "google://",
		TasksQueue: "google-shuffle-tasks", ResultsQueue: "google-shuffle-results", DeadLetterQueue: "google-shuffle-dead-letters",
		VisibilityTimeout: time.Minute, MaxReceiveCount: 5,
		ImageSize: "thumbnails", Classes: []string{"Junk", "Common", "Uncommon", "Rare", "Legendary"},
		Split: "train=0.7,validate=0.1,test=0.2", Subsample: 1, MaxBadRows: limit(t, "5%"), MaxDelete: limit(t, "10%"), MaxRefresh: limit(t, "50%"), MinPerClass: 1,
		MaxDead: limit(t, "1%"), Stall: 10 * time.Minute, PlannerLease: 15 * time.Second,
		Concurrency: 256, Drain: 25 * time.Second, KeepVersions: 30, KeepRuns: 100, Listings: 32, MetricsNamespace: "GoogleShuffle", LogLevel: "auto", LogFormat: "auto",
	}
}

func TestDefaults(t *testing.T) {
	got := parse(t)
	if d := diff(defaults(t), got); d != "" {
		t.Errorf("defaults (-want +got):\n%s", d)
	}
	if err := got.Resolve(); err != nil {
		t.Error(err)
	}
	if err := got.Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
}

// example is a value that a setting may have.
type example struct {
	field, value string
	want         any
}

func examples(t *testing.T) []example {
	return []example{
		{"Local", "demo", "demo"},
		{"Bucket", "file:///srv/frames", "file:///srv/frames"},
		{"BucketAlias", "old-bucket,older-bucket", []string{"old-bucket", "older-bucket"}},
		{"Prefix", "other_series", "other_series"},
		{"Queues", "sqlite:///srv/queues.db", "sqlite:///srv/queues.db"},
		{"TasksQueue", "https://sqs.us-west-2.amazonaws.com/123456789012/tasks", "https://sqs.us-west-2.amazonaws.com/123456789012/tasks"},
		{"ResultsQueue", "my-results", "my-results"},
		{"DeadLetterQueue", "my_dead_letters", "my_dead_letters"},
		{"VisibilityTimeout", "2m", 2 * time.Minute},
		{"MaxReceiveCount", "3", 3},
		{"Sheets", "file:///srv/sheets", "file:///srv/sheets"},
		{"SheetsEndpoint", "http://127.0.0.1:8099", "http://127.0.0.1:8099"},
		{"GoogleDriveCredentialsFile", "/run/secrets/google.json", "/run/secrets/google.json"},
		{"ImageSize", "full", "full"},
		{"Classes", "Cat,Dog", []string{"Cat", "Dog"}},
		{"Split", "train=0.8,test=0.2", "train=0.8,test=0.2"},
		{"Group", "10s", 10 * time.Second},
		{"Stratify", "true", true},
		{"Guard", "24", 24},
		{"Subsample", "10", 10},
		{"MaxBadRows", "0.5%", limit(t, "0.5%")},
		{"MaxDelete", "500", limit(t, "500")},
		{"MaxRefresh", "12.5%", limit(t, "12.5%")},
		{"MinPerClass", "3", 3},
		{"MaxDead", "0%", limit(t, "0%")},
		{"Stall", "90s", 90 * time.Second},
		{"PlannerLease", "1m", time.Minute},
		{"Concurrency", "64", 64},
		{"Drain", "100s", 100 * time.Second},
		{"Alive", "@shuffle", "@shuffle"},
		{"MetricsNamespace", "GoogleShuffle/staging", "GoogleShuffle/staging"},
		{"KeepVersions", "0", 0},
		{"KeepRuns", "0", 0},
		{"AlertsTopic", "arn:aws:sns:us-west-2:000000000000:google-shuffle-alerts", "arn:aws:sns:us-west-2:000000000000:google-shuffle-alerts"},
		{"Listings", "8", 8},
		{"LogLevel", "debug", "debug"},
		{"LogFormat", "console", "console"},
	}
}

// flagOf is the flag of a field: its words, with hyphens.
func flagOf(field string) string {
	var flag strings.Builder
	for i, r := range field {
		if i > 0 && r >= 'A' && r <= 'Z' {
			flag.WriteByte('-')
		}
		flag.WriteRune(r)
	}
	return strings.ToLower(flag.String())
}

func variableOf(field string) string {
	return "SHUFFLE_" + strings.ToUpper(strings.ReplaceAll(flagOf(field), "-", "_"))
}

// Every setting is a flag and a variable; the flag wins; and the examples are valid.
func TestEachSetting(t *testing.T) {
	for _, e := range examples(t) {
		t.Run(e.field, func(t *testing.T) {
			want := defaults(t)
			reflect.ValueOf(&want).Elem().FieldByName(e.field).Set(reflect.ValueOf(e.want))
			flag := "--" + flagOf(e.field) + "=" + e.value
			got := parse(t, flag)
			if d := diff(want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", flag, d)
			}
			if err := got.Validate(); err != nil {
				t.Errorf("%s is refused: %v", flag, err)
			}
			t.Setenv(variableOf(e.field), e.value)
			if d := diff(want, parse(t)); d != "" {
				t.Errorf("%s=%s (-want +got):\n%s", variableOf(e.field), e.value, d)
			}
		})
	}
}

func TestEverySettingHasAnExample(t *testing.T) {
	all := examples(t)
	for f := range reflect.TypeFor[config.Config]().Fields() {
		if f.Tag.Get("kong") == "-" {
			continue // no setting
		}
		if !slices.ContainsFunc(all, func(e example) bool { return e.field == f.Name }) {
			t.Errorf("%s has no example", f.Name)
		}
		if f.Tag.Get("help") == "" || f.Tag.Get("group") == "" {
			t.Errorf("%s has no help, or stands in no group of it", f.Name)
		}
	}
}

func TestFlagBeatsVariable(t *testing.T) {
	t.Setenv("SHUFFLE_PREFIX", "from-variable")
	t.Setenv("SHUFFLE_CLASSES", "A,B")
	got := parse(t, "--prefix=from-flag", "--classes=C")
	if got.Prefix != "from-flag" || !slices.Equal(got.Classes, []string{"C"}) {
		t.Errorf("prefix %q, classes %q", got.Prefix, got.Classes)
	}
}

// The service account's file has the name that other programs give it too.
func TestCredentialsVariable(t *testing.T) {
	t.Setenv("SHUFFLE_GOOGLE_DRIVE_CREDENTIALS_FILE", "second.json")
	t.Setenv("GOOGLE_DRIVE_CREDENTIALS_FILE", "first.json")
	if got := parse(t).GoogleDriveCredentialsFile; got != "first.json" {
		t.Errorf("%q", got)
	}
}

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	dir, err := filepath.Abs(".") // a temporary folder may be a link
	if err != nil {
		t.Fatal(err)
	}
	slashed := filepath.ToSlash(dir)
	t.Setenv("HOME", filepath.Join(dir, "ho me"))
	for _, tc := range []struct {
		name   string
		change func(*config.Config)
		want   func(*config.Config)
	}{
		{"nothing local", func(*config.Config) {}, func(*config.Config) {}},
		{"slashes around the prefix", func(c *config.Config) { c.Prefix = "/a/b/" }, func(c *config.Config) { c.Prefix = "a/b" }},
		{"no prefix", func(c *config.Config) { c.Prefix = "/" }, func(c *config.Config) { c.Prefix = "" }},
		{"a slash after the image size", func(c *config.Config) { c.ImageSize = "full/" }, func(c *config.Config) { c.ImageSize = "full" }},
		{"blanks in lists", func(c *config.Config) {
			c.Classes, c.BucketAlias, c.Split = []string{"Junk", " Very rare ", ""}, []string{" a", "b "}, "train = 0.5 ,\ttest=0.5"
		}, func(c *config.Config) {
			c.Classes, c.BucketAlias, c.Split = []string{"Junk", "Very rare"}, []string{"a", "b"}, "train=0.5,test=0.5"
		}},
		{"the home folder", func(c *config.Config) {
			c.Bucket, c.Queues, c.Sheets, c.GoogleDriveCredentialsFile = "file://~/a%20b", "sqlite:///~/q.db", "file:///x/~/y", "~/key.json"
		}, func(c *config.Config) {
			c.Bucket, c.Queues = "file://"+slashed+"/ho%20me/a%20b", "sqlite://"+slashed+"/ho%20me/q.db"
			c.Sheets, c.GoogleDriveCredentialsFile = "file:///x/~/y", filepath.Join(dir, "ho me", "key.json")
		}},
		{"a folder in the home folder", func(c *config.Config) { c.Local = "~/x" }, func(c *config.Config) {
			c.Local = filepath.Join(dir, "ho me", "x")
			c.Bucket, c.Queues = "file://"+slashed+"/ho%20me/x/bucket", "sqlite://"+slashed+"/ho%20me/x/queues.db"
			c.Sheets = "file://" + slashed + "/ho%20me/x/sheets"
		}},
		{"a relative folder", func(c *config.Config) { c.Local = "demo" }, func(c *config.Config) {
			c.Local = "demo"
			c.Bucket, c.Queues, c.Sheets = "file://"+slashed+"/demo/bucket", "sqlite://"+slashed+"/demo/queues.db", "file://"+slashed+"/demo/sheets"
		}},
		{"an absolute one", func(c *config.Config) { c.Local = filepath.Join(dir, "x", "..", "y") }, func(c *config.Config) {
			c.Local = filepath.Join(dir, "x", "..", "y")
			c.Bucket, c.Queues, c.Sheets = "file://"+slashed+"/y/bucket", "sqlite://"+slashed+"/y/queues.db", "file://"+slashed+"/y/sheets"
		}},
		{"one that a URL must escape", func(c *config.Config) { c.Local = "50% of #1?" }, func(c *config.Config) {
			const escaped = "/50%25%20of%20%231%3F/"
			c.Local = "50% of #1?"
			c.Bucket, c.Queues, c.Sheets = "file://"+slashed+escaped+"bucket", "sqlite://"+slashed+escaped+"queues.db", "file://"+slashed+escaped+"sheets"
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, want := defaults(t), defaults(t)
			tc.change(&got)
			tc.want(&want)
			if err := got.Resolve(); err != nil {
				t.Fatal(err)
			}
			if d := diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if err := got.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLayout(t *testing.T) {
	c := defaults(t)
	if got := c.Layout(); got != (dataset.Layout{Prefix: "tuttle_twins"}) {
		t.Errorf("%+v", got)
	}
}

// The dead-letter queue comes first: the tasks queue names it.
func TestQueueSpecs(t *testing.T) {
	c := defaults(t)
	want := []queue.Spec{
		{Name: "google-shuffle-dead-letters", VisibilityTimeout: time.Minute},
		{Name: "google-shuffle-results", VisibilityTimeout: time.Minute},
		{Name: "google-shuffle-tasks", VisibilityTimeout: time.Minute, MaxReceiveCount: 5, DeadLetterQueue: "google-shuffle-dead-letters"},
	}
	got := c.QueueSpecs()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, s := range got {
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
	}
}
