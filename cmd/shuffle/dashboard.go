package main

import (
	"context"
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

// httpFlags are the flags of the commands that serve the dashboard.
type httpFlags struct {
	HTTP     string   `name:"http" help:"Serve the dashboard on this address; without a host, on loopback." placeholder:"127.0.0.1:8080"`
	HTTPHost []string `name:"http-host" help:"Host name, besides localhost, that browsers use for the dashboard; repeatable." placeholder:"NAME"`
}

// dashboardOptions are the options that dashboard and reports share. The store must be open.
func (a *app) dashboardOptions() dashboard.Options {
	t := &tracker.Tracker{Store: a.store, Options: tracker.Options{Parallel: a.cfg.Listings}, Log: a.log}
	name := strings.TrimPrefix(strings.TrimPrefix(a.cfg.Bucket, "s3://"), "file://")
	return dashboard.Options{
		Store: a.store, Bucket: a.bucket, ReadLedger: t.ReadDetails, Stall: a.cfg.Stall, Log: a.log,
		Site: page.Site{Name: name + "/" + a.cfg.Prefix, Command: a.style.Command},
	}
}

// reportPage makes report.html.
func (a *app) reportPage(ctx context.Context, r *state.Report) ([]byte, error) {
	return dashboard.Report(ctx, a.dashboardOptions(), r)
}

// historyRuns is how many of the newest runs are searched for the page of a frame.
const historyRuns = 20

// addReaders gives the dashboard the functions that read sheets, queues and runs.
func (a *app) addReaders(o *dashboard.Options) {
	o.ReadSurvey = func(ctx context.Context, e dataset.Episode) (*inventory.Survey, error) {
		p, err := a.openPlanner(ctx, false)
		if err != nil {
			return nil, err
		}
		return p.Survey(ctx, e)
	}
	o.NewAssigner = func(d state.Definition, season []inventory.LabelledFrame, standing dataset.Standing) (dashboard.Assigner, error) {
		labelled := make([]planner.Labelled, len(season))
		for i, l := range season {
			labelled[i] = planner.Labelled(l)
		}
		return planner.AssignerOf(d, labelled, standing)
	}
	o.MinPerClass, o.Workers, o.ReadQueues = a.cfg.MinPerClass, &a.workers, a.queueCounts
	o.ReadHistory = func(ctx context.Context, f dataset.Frame) ([]why.Operation, error) {
		t, err := a.openTrackerWithoutQueues(ctx)
		if err != nil {
			return nil, err
		}
		all, _, err := t.History(ctx, f, historyRuns)
		return all, err
	}
}

// queueCounts reads how many messages each of the three queues has.
func (a *app) queueCounts(ctx context.Context) ([]page.Queue, error) {
	all := []page.Queue{
		{Name: a.cfg.TasksQueue, Content: "tasks for the workers"}, {Name: a.cfg.ResultsQueue, Content: "results for the tracker"},
		{Name: a.cfg.DeadLetterQueue, Content: "dead tasks, until the tracker has recorded them"},
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

// serveDashboard serves the dashboard while work is running. It calls started with the dashboard's
// address before work begins.
func (a *app) serveDashboard(ctx context.Context, f httpFlags, started func(url string), work func(context.Context) error) error {
	if _, err := a.openStore(ctx); err != nil {
		return err
	}
	l, err := dashboard.Listen(ctx, f.HTTP)
	if err != nil {
		return usage(err)
	}
	o := a.dashboardOptions()
	o.Hosts = f.HTTPHost
	a.addReaders(&o)
	g, ctx := errgroup.WithContext(ctx)
	up, stop := context.WithCancel(ctx)
	g.Go(func() error { return dashboard.Serve(up, l, dashboard.New(o)) })
	g.Go(func() error {
		defer stop()
		started("http://" + l.Addr().String() + "/")
		return work(ctx)
	})
	return g.Wait()
}

// logDashboard logs the address of a service's dashboard.
func (a *app) logDashboard(url string) { a.log.Info("dashboard", zap.String("url", url)) }
