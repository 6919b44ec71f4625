package main

import (
	"context"
	"net"
	"path"
	"strings"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/angel-nft/google-shuffle/internal/dashboard"
	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/inventory"
	"github.com/angel-nft/google-shuffle/internal/page"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/internal/why"
	"github.com/angel-nft/google-shuffle/planner"
	"github.com/angel-nft/google-shuffle/tracker"
)

// httpFlags are those of the commands that serve the dashboard.
type httpFlags struct {
	HTTP     string   `name:"http" help:"Serve the dashboard on this address; loopback when it names no host." placeholder:"127.0.0.1:8080"`
	HTTPHost []string `name:"http-host" help:"A name, beside localhost, that browsers call the dashboard by; repeatable." placeholder:"NAME"`
}

// dashboardOptions are those of the dashboard and of the reports, which have the same content. The
// store must be open.
func (a *app) dashboardOptions() dashboard.Options {
	t := &tracker.Tracker{Store: a.store, Options: tracker.Options{Parallel: a.cfg.Listings}, Log: a.log}
	name := strings.TrimPrefix(strings.TrimPrefix(a.cfg.Bucket, "s3://"), "file://")
	return dashboard.Options{
		Store: a.store, Bucket: a.bucket, Look: t.ReadDetails, Stall: a.cfg.Stall, Log: a.log,
		Site: page.Site{Name: name + "/" + a.cfg.Prefix, Command: a.style.Command},
	}
}

// reportPage makes report.html.
func (a *app) reportPage(ctx context.Context, r *state.Report) ([]byte, error) {
	return dashboard.Report(ctx, a.dashboardOptions(), r)
}

// lookedThrough is how many of the newest runs a frame's page looks through.
const lookedThrough = 20

// readers adds to the dashboard what reads sheets and runs.
func (a *app) readers(o *dashboard.Options) {
	o.Survey = func(ctx context.Context, e dataset.Episode) (*inventory.Survey, error) {
		p, err := a.openPlanner(ctx, false)
		if err != nil {
			return nil, err
		}
		return p.Survey(ctx, e)
	}
	o.Assign = func(d state.Definition, season []inventory.Labelled, standing dataset.Standing) (dashboard.Assigner, error) {
		labelled := make([]planner.Labelled, len(season))
		for i, l := range season {
			labelled[i] = planner.Labelled(l)
		}
		return planner.AssignerOf(d, labelled, standing)
	}
	o.MinPerClass, o.Workers, o.Queues = a.cfg.MinPerClass, &a.heard, a.queueCounts
	o.History = func(ctx context.Context, f dataset.Frame) ([]why.Operation, error) {
		t, err := a.bareTracker(ctx)
		if err != nil {
			return nil, err
		}
		all, _, err := t.History(ctx, f, lookedThrough)
		return all, err
	}
}

// queueCounts asks the three queues what they hold.
func (a *app) queueCounts(ctx context.Context) ([]page.Queue, error) {
	all := []page.Queue{
		{Name: a.cfg.TasksQueue, Holds: "tasks for the workers"}, {Name: a.cfg.ResultsQueue, Holds: "results for the tracker"},
		{Name: a.cfg.DeadLetterQueue, Holds: "tasks that were given up, until the tracker has them"},
	}
	for i := range all {
		q, err := a.openQueue(ctx, all[i].Name)
		if err != nil {
			return nil, err
		}
		if all[i].Attributes, err = q.GetQueueAttributes(ctx); err != nil {
			return nil, err
		}
		all[i].Name = path.Base(all[i].Name) // of a queue's URL
	}
	return all, nil
}

// serving does work while the dashboard is up. started is told its address.
func (a *app) serving(ctx context.Context, f httpFlags, started func(url string), work func(context.Context) error) error {
	if _, err := a.openStore(ctx); err != nil {
		return err
	}
	l, err := dashboard.Listen(ctx, f.HTTP)
	if err != nil {
		return usage(err)
	}
	o := a.dashboardOptions()
	o.Hosts = f.HTTPHost
	a.readers(&o)
	g, ctx := errgroup.WithContext(ctx)
	up, stop := context.WithCancel(ctx)
	g.Go(func() error { return dashboard.Serve(up, l, dashboard.New(o)) })
	g.Go(func() error {
		defer stop()
		started(dashboardURL(l))
		return work(ctx)
	})
	return g.Wait()
}

func dashboardURL(l net.Listener) string { return "http://" + l.Addr().String() + "/" }

// logDashboard tells the address of a service's dashboard.
func (a *app) logDashboard(url string) { a.log.Info("dashboard", zap.String("url", url)) }
