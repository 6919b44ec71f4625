// Package config has the program's settings: one struct, its defaults, its validation, and the
// environment that they come from. Each field is a flag of every command. SHUFFLE_ with the flag's
// name is its environment variable (DESIGN 10).
package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/queue"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/secret"
)

// DefaultBucket is the bucket of the series.
const DefaultBucket = "media.angel-nft.com"

// Config is filled by alecthomas/kong from flags, environment and defaults.
type Config struct {
	Local       string   `help:"Keep everything in this folder (bucket, queues.db and sheets in it) instead of the bucket, queues and sheets below." placeholder:"DIR" group:"ports"`
	Bucket      string   `help:"Bucket: s3://NAME or file:///DIR." default:"s3://media.angel-nft.com" group:"ports"`
	BucketAlias []string `help:"Other names of the bucket in the sheets' base URIs." placeholder:"NAME" group:"ports"`
	Prefix      string   `help:"Folder of the series in the bucket." default:"tuttle_twins" group:"ports"`
	Queues      string   `help:"Queues: sqs:// or sqlite:///FILE." default:"sqs://" group:"ports"`

	TasksQueue        string        `help:"Name or URL." default:"google-shuffle-tasks" group:"ports"`
	ResultsQueue      string        `help:"Name or URL." default:"google-shuffle-results" group:"ports"`
	DeadLetterQueue   string        `help:"Name or URL." default:"google-shuffle-dead-letters" group:"ports"`
	VisibilityTimeout time.Duration `help:"How long a received task is hidden from other workers, in whole seconds." default:"60s" group:"ports"`
	MaxReceiveCount   int           `help:"Receives of a task before it is dead." default:"5" group:"ports"`

	Sheets                     string `help:"Sheets: google:// or file:///DIR of CSV or XLSX files named by spreadsheet ID." default:"google://" group:"ports"`
	SheetsEndpoint             string `help:"Another base URL of the Sheets API; then no credentials are used." placeholder:"URL" group:"ports"`
	GoogleDriveCredentialsFile string `help:"JSON file of the service account that reads the sheets, or the JSON itself; without it, Google's application default credentials." placeholder:"FILE" env:"GOOGLE_DRIVE_CREDENTIALS_FILE,SHUFFLE_GOOGLE_DRIVE_CREDENTIALS_FILE" group:"ports"`

	ImageSize  string        `help:"Name of the image folder, for sheets without a base URI." default:"thumbnails" group:"plans"`
	Classes    []string      `help:"The classes, as the folders of the datasets are named." default:"Junk,Common,Uncommon,Rare,Legendary" group:"plans"`
	Split      string        `help:"Datasets and their shares." default:"train=0.7,validate=0.1,test=0.2" group:"plans"`
	Group      time.Duration `help:"Keep the frames of a block of this length together, such as 10s; 0 splits frame by frame." default:"0s" group:"plans"`
	Stratify   bool          `help:"Cut each class at the shares, so that rare classes reach every dataset." group:"plans"`
	Guard      int           `help:"Leave out this number of frames at each side of a border between datasets." default:"0" group:"plans"`
	Subsample  int           `help:"Keep one unit in N, by hash. A unit is a frame, or with --group a block." default:"1" group:"plans"`
	MaxBadRows rows.Limit    `help:"Bad rows allowed in a sheet, as a share or a count; with more its episode is held." default:"5%" group:"plans"`
	MaxDelete  rows.Limit    `help:"Deletions allowed in an episode, as a share or a count; with more it is held." default:"10%" group:"plans"`
	MaxRefresh rows.Limit    `help:"Refreshes (copies of changed images) allowed in an episode, as a share or a count; with more it is held." default:"50%" group:"plans"`

	MinPerClass int `help:"Warn when a dataset has fewer blocks (without --group: frames) of a class than this, although there are enough for all datasets; 0 never warns." default:"1" group:"plans"`

	MaxDead      rows.Limit    `help:"Dead tasks allowed in a run, as a share or a count; with more, and more than 20, the run is halted." default:"1%" group:"runs"`
	Stall        time.Duration `help:"Publish open tasks again after this time without a result." default:"10m" group:"runs"`
	PlannerLease time.Duration `help:"Take over from a planner that has sent no heartbeat for this time." default:"15s" group:"runs"`
	Concurrency  int           `help:"The most tasks that a worker works on at a time." default:"256" group:"runs"`
	Drain        time.Duration `help:"Time for a stopping worker to finish its tasks in flight." default:"25s" group:"runs"`
	KeepVersions int           `help:"Number of dataset versions to keep, besides those with a tag. Older ones are removed when a new one is published; 0 keeps all." default:"30" group:"runs"`
	KeepRuns     int           `help:"Least number of runs to keep. Older ones are removed a month after the next run has ended, unless something still needs them; 0 keeps all." default:"100" group:"runs"`
	Listings     int           `help:"LIST requests at a time." default:"32" group:"runs"`

	MetricsNamespace string `help:"CloudWatch namespace of the metrics that the log line at a run's end carries." default:"GoogleShuffle" group:"runs"`

	AlertsTopic string `help:"ARN of the SNS topic of the alarms. doctor checks that it has a confirmed subscriber." placeholder:"ARN" group:"runs"`

	Alive string `help:"Unix socket where work and track answer health checks, such as @shuffle; shuffle alive asks there." placeholder:"SOCKET" group:"runs"`

	LogLevel  string `help:"debug, info, warn or error; auto is info, and warn for the demo." default:"auto" enum:"auto,debug,info,warn,error" group:"logs"`
	LogFormat string `help:"json or console; auto is console on a terminal." default:"auto" enum:"auto,json,console" group:"logs"`

	// Given maps each given setting to its source: flag name without dashes → "--group",
	// "SHUFFLE_GROUP" or "SHUFFLE_GROUP in .env". It does not contain settings that have their
	// default.
	Given map[string]string `kong:"-"`
}

// Resolve applies Local, and normalises each setting: no blanks in lists, no slashes around folders
// of the bucket, the home folder for ~. It may be called again.
func (c *Config) Resolve() error {
	const blanks = " \t\r\n"
	c.Prefix, c.ImageSize = strings.Trim(c.Prefix, "/"+blanks), strings.Trim(c.ImageSize, "/"+blanks)
	c.Classes, c.BucketAlias = trimmed(c.Classes), trimmed(c.BucketAlias)
	c.Split = blankAround.ReplaceAllString(c.Split, "$1")
	for flag, path := range map[string]*string{
		"local": &c.Local, "bucket": &c.Bucket, "queues": &c.Queues, "sheets": &c.Sheets,
		"google-drive-credentials-file": &c.GoogleDriveCredentialsFile, "alive": &c.Alive,
	} {
		expanded, err := ExpandHome(*path)
		if err != nil {
			return fmt.Errorf("--%s (%s): %w", flag, Variable(flag), err)
		}
		*path = expanded
	}
	if c.Local == "" {
		return nil
	}
	dir, err := filepath.Abs(c.Local)
	if err != nil {
		return fmt.Errorf("--local %q (SHUFFLE_LOCAL): %w", c.Local, err)
	}
	c.Bucket, c.Queues, c.Sheets = fileURL("file", dir, "bucket"), fileURL("sqlite", dir, "queues.db"), fileURL("file", dir, "sheets")
	return nil
}

// blankAround are blanks beside a separator of a list.
var blankAround = regexp.MustCompile(`\s*([,=])\s*`)

// trimmed returns a list without blanks around its values, and without an empty last value.
func trimmed(values []string) []string {
	var all []string
	for _, value := range values {
		all = append(all, strings.TrimSpace(value))
	}
	if n := len(all); n > 1 && all[n-1] == "" {
		all = all[:n-1]
	}
	return all
}

// Variable returns the environment variable of a flag without dashes.
func Variable(flag string) string {
	return "SHUFFLE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// homeURL is the beginning of a file URL whose path begins with ~/.
var homeURL = regexp.MustCompile(`^(file|sqlite):/+~/`)

// ExpandHome replaces a ~/ at the beginning of a path or of a file URL by the home folder. Shells
// do that only at the start of a word, and not in --flag=~/x, quotes or .env.
func ExpandHome(path string) (string, error) {
	m := homeURL.FindStringSubmatch(path)
	if m == nil && path != "~" && !strings.HasPrefix(path, "~/") {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%.200q: find the home folder: %w; write the whole path", path, err)
	}
	if m == nil {
		return filepath.Join(home, path[1:]), nil
	}
	// The rest is already encoded for a URL.
	return fileURL(m[1], home) + "/" + path[len(m[0]):], nil
}

func fileURL(scheme string, parts ...string) string {
	path := filepath.ToSlash(filepath.Join(parts...))
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/...
	}
	u := url.URL{Scheme: scheme, Path: path}
	return u.String()
}

// Layout returns the keys of everything in the bucket.
func (c *Config) Layout() dataset.Layout { return dataset.Layout{Prefix: c.Prefix} }

// QueueSpecs returns the specs of the three queues. The dead-letter queue is first, because the
// tasks queue needs it.
func (c *Config) QueueSpecs() []queue.Spec {
	return []queue.Spec{
		{Name: c.DeadLetterQueue, VisibilityTimeout: c.VisibilityTimeout},
		{Name: c.ResultsQueue, VisibilityTimeout: c.VisibilityTimeout},
		{Name: c.TasksQueue, VisibilityTimeout: c.VisibilityTimeout, MaxReceiveCount: c.MaxReceiveCount, DeadLetterQueue: c.DeadLetterQueue},
	}
}

// Validate returns all errors in the settings, each with its flag and variable.
//
// Kong calls it as soon as the flags are set, so it checks a resolved copy.
func (c *Config) Validate() error {
	resolved := *c
	if err := resolved.Resolve(); err != nil {
		return err
	}
	c = &resolved
	var all []error
	refuse := func(bad bool, flag string, value any, expected string) {
		if bad {
			if text, ok := value.(string); ok {
				// Quotes make an empty value and spaces visible.
				value = strconv.Quote(secret.HideURL(text))
			}
			all = append(all, fmt.Errorf("--%s %v (%s): expected %s", flag, value, Variable(flag), expected))
		}
	}
	refuse(c.Prefix != "" && dataset.CheckKey(c.Prefix) != nil, "prefix", c.Prefix, "a path without empty, \".\" or \"..\" parts")
	refuse(dataset.CheckKey(c.ImageSize) != nil || strings.Contains(c.ImageSize, "/"), "image-size", c.ImageSize, "the name of a folder")
	for _, q := range []struct{ flag, name string }{
		{"tasks-queue", c.TasksQueue}, {"results-queue", c.ResultsQueue}, {"dead-letter-queue", c.DeadLetterQueue},
	} {
		if strings.HasSuffix(q.name, ".fifo") {
			refuse(true, q.flag, q.name, "a standard queue (1 to 80 letters, digits, - and _, or its URL): a FIFO queue wants a group and an ID "+
				"with each message, and holds back what comes after a message that fails")
			continue
		}
		refuse(queue.Spec{Name: q.name}.Validate() != nil, q.flag, q.name, "1 to 80 letters, digits, - and _, or a queue's URL")
	}
	names := []string{c.TasksQueue, c.ResultsQueue, c.DeadLetterQueue}
	slices.Sort(names)
	refuse(len(slices.Compact(names)) != 3, "tasks-queue", c.TasksQueue, "three different queues (SHUFFLE_RESULTS_QUEUE, SHUFFLE_DEAD_LETTER_QUEUE too)")
	refuse(c.VisibilityTimeout < 10*time.Second || c.VisibilityTimeout > queue.MaxVisibility || c.VisibilityTimeout%time.Second != 0,
		"visibility-timeout", c.VisibilityTimeout, "10s (a task's requests may take 5s each) to 12h, in whole seconds")
	refuse(c.MaxReceiveCount < 1 || c.MaxReceiveCount > queue.MaxMaxReceiveCount, "max-receive-count", c.MaxReceiveCount, "1 to 1000")
	refuse(!validClasses(c.Classes), "classes", strings.Join(c.Classes, ","), fmt.Sprintf("different names of folders, of up to %d bytes, separated by commas", dataset.MaxName))
	endpoint, err := url.Parse(c.SheetsEndpoint)
	refuse(c.SheetsEndpoint != "" && (err != nil || endpoint.Scheme != "http" && endpoint.Scheme != "https" || endpoint.Host == ""),
		"sheets-endpoint", c.SheetsEndpoint, "a URL that begins with http:// or https://")
	refuse(c.Group < 0 || c.Group%time.Second != 0, "group", c.Group, "whole seconds, or 0")
	refuse(c.Guard < 0, "guard", c.Guard, "0 or more frames")
	refuse(c.Subsample < 1, "subsample", c.Subsample, "1 or more")
	refuse(c.MinPerClass < 0, "min-per-class", c.MinPerClass, "1 or more blocks or frames, or 0 for no warnings")
	refuse(c.Stall < time.Second, "stall", c.Stall, "1s at least")
	refuse(c.PlannerLease < 5*time.Second, "planner-lease", c.PlannerLease, "5s at least: a planner that publishes is heard of every 3s")
	refuse(c.Concurrency < 1 || c.Concurrency > 5000, "concurrency", c.Concurrency, "1 to 5000")
	refuse(c.Drain < 0, "drain", c.Drain, "0 or more")
	refuse(c.KeepVersions < 0, "keep-versions", c.KeepVersions, "1 or more, or 0 for all")
	refuse(c.KeepRuns < 0, "keep-runs", c.KeepRuns, "1 or more, or 0 for all")
	refuse(c.AlertsTopic != "" && !topicARN.MatchString(c.AlertsTopic), "alerts-topic", c.AlertsTopic, "the ARN of an SNS topic")
	refuse(c.Listings < 1, "listings", c.Listings, "1 or more")
	return errors.Join(all...)
}

var topicARN = regexp.MustCompile(`^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)

func validClasses(classes []string) bool {
	seen := map[string]bool{}
	for _, class := range classes {
		folded := strings.ToLower(class)
		if dataset.CheckKey(class) != nil || len(class) > dataset.MaxName || strings.ContainsAny(class, "/") || strings.TrimSpace(class) != class || seen[folded] {
			return false
		}
		seen[folded] = true
	}
	return len(classes) > 0
}
