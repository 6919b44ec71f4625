// Command bench compares the program with others that copy objects in S3. All run on one machine,
// in one run, against one server (package benchserver) in a process of its own. Each measured
// program is a process too, so its CPU and memory can be measured separately.
//
// make bench-peers builds what it needs and runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/angel-nft/google-shuffle/internal/test/benchserver"
)

// settings are the settings of every measurement.
type settings struct {
	Shuffle string `help:"The program." default:"bin/shuffle" type:"path"`
	S5cmd   string `name:"s5cmd" help:"s5cmd; it is left out without."`
	Rclone  string `help:"rclone; it is left out without."`

	Episodes int    `help:"Episodes of the season." default:"1"`
	Frames   int    `help:"Frames of each episode." default:"28800"`
	Parallel int    `help:"Requests at a time, for each of the programs." default:"256"`
	Logs     string `help:"Keep the logs of the programs in this folder." type:"existingdir"`
	Rounds   int    `help:"How often everything is measured; the tables have the medians, and the least and the most." default:"3"`

	Write  time.Duration `help:"Median latency of a copy, put or delete." default:"40ms"`
	Read   time.Duration `help:"Median latency of GET and HEAD." default:"20ms"`
	List   time.Duration `help:"Median latency of a page of a listing." default:"60ms"`
	Queue  time.Duration `help:"Median latency of a request to SQS." default:"10ms"`
	Spread float64       `help:"Standard deviation of the logarithm of a latency." default:"0.35"`
}

func (s settings) options(writesPerSecond int) benchserver.Options {
	of := func(median time.Duration) benchserver.Latency {
		return benchserver.Latency{Median: median, Spread: s.Spread}
	}
	return benchserver.Options{Write: of(s.Write), Read: of(s.Read), List: of(s.List), Queue: of(s.Queue), WritesPerSecond: writesPerSecond}
}

type cli struct {
	Peers peersCmd `cmd:"" help:"A whole run, s5cmd, a bare CopyObject loop and a serial one, on the same copies and deletes."`
	Plan  planCmd  `cmd:"" help:"The plan of an unchanged season, and s5cmd ls of the same keys."`
	Pull  pullCmd  `cmd:"" help:"The download of a dataset version, and s5cmd cp of the same keys."`
	Limit limitCmd `cmd:"" help:"1, 2, 4 and 8 workers at a bucket that takes 3,500 writes a second."`
	Scale scaleCmd `cmd:"" help:"1, 2, 4 and 8 workers below any limit."`

	Backlog backlogCmd `cmd:"" help:"A million tasks are published, and then worked off."`
	Results resultsCmd `cmd:"" help:"A tracker under 5,000 results a second."`
	Memory  memoryCmd  `cmd:"" help:"What each program needs that reads or writes dataset versions, for a whole season and for a few frames."`
	Cost    costCmd    `cmd:"" help:"What a plan says that its run will cost, and what the run does."`

	Change changeCmd `cmd:"" help:"Twelve frames of one episode are relabelled, while the services are idle; rclone sync and s5cmd for the same change."`
	Grow   growCmd   `cmd:"" help:"Seasons of 12, 36 and 120 episodes: how wall and memory of planner, tracker and verify grow."`

	Serve serveCmd `cmd:"" help:"The server; the others start it."`
	Copy  copyCmd  `cmd:"" help:"The bare loop; peers starts it."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	var out strings.Builder
	parsed := kong.Parse(&c, kong.Name("bench"), kong.UsageOnError())
	err := parsed.Run(&runContext{ctx, &out})
	if _, wrote := os.Stdout.WriteString(out.String()); err == nil {
		err = wrote
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// runContext is the context of every command. kong finds it by its type. The commands write their
// tables to out.
type runContext struct {
	context.Context
	out *strings.Builder
}
