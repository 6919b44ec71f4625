package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/angel-nft/google-shuffle/internal/season"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/planner"
)

type demoCmd struct {
	Dir      string `help:"Folder of the demo." default:"shuffle-demo"`
	Episodes int    `help:"Number of episodes; one more has a broken sheet." default:"3"`
	Frames   int    `help:"Number of frames in each episode." default:"2000"`
	Serve    bool   `help:"Serve the dashboard, also after the end, until Ctrl+C."`
	httpFlags
}

// demo is the state of the demo in its folder: the season and the finished steps, so that an
// interrupted demo can go on.
type demo struct {
	Season season.Options `json:"season"`
	Made   bool           `json:"made"`   // the season is written
	Edited bool           `json:"edited"` // a sheet has been edited

	app  *app
	path string
}

func (c *demoCmd) run(ctx context.Context, a *app) error {
	if c.Frames < 100 || c.Episodes < 1 {
		return usage(fmt.Errorf("--frames %d --episodes %d: expected at least 100 frames and 1 episode", c.Frames, c.Episodes))
	}
	d, err := c.openDemo(a)
	if err != nil {
		return err
	}
	if !c.Serve {
		return c.showRuns(ctx, d)
	}
	c.HTTP = cmp.Or(c.HTTP, "127.0.0.1:8080")
	printURL := func(url string) { _ = d.printLines("Dashboard: "+url, "") }
	return a.serveDashboard(ctx, c.httpFlags, printURL, func(ctx context.Context) error {
		if err := c.showRuns(ctx, d); err != nil {
			return err
		}
		if err := d.printLines("", "The dashboard stays up until Ctrl+C."); err != nil {
			return err
		}
		<-ctx.Done() // the normal end
		return nil
	})
}

// showRuns runs the season, edits a sheet, and runs it again.
func (c *demoCmd) showRuns(ctx context.Context, d *demo) error {
	a := d.app
	if err := d.writeSeason(ctx); err != nil {
		return err
	}
	status, err := d.runOnce(ctx)
	if err != nil {
		return err
	}
	if status.State != state.Succeeded {
		return a.statusOutcome(ctx, status)
	}
	if !d.Edited {
		if err := d.editSheet(); err != nil {
			return err
		}
		if _, err := d.runOnce(ctx); err != nil {
			return err
		}
	}
	return d.printLines("", "Next: edit a file in "+filepath.Join(c.Dir, "sheets")+" and run the demo again, or type",
		"  "+a.style.Command+" status", "  "+a.style.Command+" verify")
}

// openDemo reads the demo of the folder, or begins a new one.
func (c *demoCmd) openDemo(a *app) (*demo, error) {
	d := &demo{app: a, path: filepath.Join(c.Dir, "demo.json")}
	body, err := os.ReadFile(d.path)
	switch {
	case err == nil:
		err = json.Unmarshal(body, d)
	case errors.Is(err, os.ErrNotExist):
		d.Season = season.Options{Episodes: c.Episodes, Frames: c.Frames, Oddities: true, Seed: 1}
		err = os.MkdirAll(c.Dir, 0o750)
	}
	if err != nil {
		return nil, fmt.Errorf("open the demo in %s: %w", c.Dir, err)
	}
	a.cfg.Local = c.Dir
	if err := a.cfg.Resolve(); err != nil {
		return nil, err
	}
	a.style.Command, a.style.ReportFollows, a.style.Local = program()+" --local "+shellWord(c.Dir), true, true
	if a.cfg.LogLevel == "auto" {
		a.log = newLogger(a.screen, "warn", a.cfg.LogFormat)
	}
	return d, nil
}

func (d *demo) save() error {
	body, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(d.path, append(body, '\n'), 0o600)
}

func (d *demo) printLines(lines ...string) error {
	for _, line := range lines {
		if _, err := fmt.Fprintln(d.app.stdout, line); err != nil {
			return err
		}
	}
	return nil
}

// writeSeason writes the season, unless an earlier call has finished it.
func (d *demo) writeSeason(ctx context.Context) error {
	if _, err := d.app.openStore(ctx); err != nil || d.Made {
		return err
	}
	s, err := season.Generate(d.Season)
	if err != nil {
		return err
	}
	err = d.printLines(fmt.Sprintf("Drawing a season of %d episodes with %d frames each, and one with a broken sheet, in %s",
		d.Season.Episodes, d.Season.Frames, filepath.Dir(d.path)), "")
	if err != nil {
		return err
	}
	err = s.Write(ctx, d.app.bucket, d.sheets())
	if ctx.Err() != nil {
		return &unfinishedError{cause: ctx.Err(), text: "the season in " + filepath.Dir(d.path) + " is not complete; the same command completes it"}
	}
	if err != nil {
		return err
	}
	d.Made = true
	return d.save()
}

func (d *demo) sheets() string { return filepath.Join(filepath.Dir(d.path), "sheets") }

// editedFrames is how many frames of one episode the demo relabels. It sorts the rows too, which
// moves no frame.
const editedFrames = 12

func (d *demo) editSheet() error {
	s, err := season.Generate(d.Season)
	if err != nil {
		return err
	}
	e := s.Episodes[0]
	frames := e.Relabel(editedFrames)
	e.Sort()
	if err := e.WriteSheet(d.sheets()); err != nil {
		return err
	}
	err = d.printLines("", fmt.Sprintf("Now an edit: %d frames of %s get another class, and its sheet is sorted by class.", len(frames), e.Episode), "")
	if err != nil {
		return err
	}
	d.Edited = true
	return d.save()
}

// runOnce makes one run, and prints its plan and its report.
func (d *demo) runOnce(ctx context.Context) (state.Status, error) {
	a := d.app
	status, err := a.runAll(ctx, planner.Options{}, true, func(plan *state.Plan) error {
		return errors.Join(show.Plan(a.stdout, a.style, plan), d.printLines(""))
	})
	if err != nil {
		return status, err
	}
	report, err := a.store.ReadReport(ctx, status.Run)
	if err != nil {
		return status, err
	}
	return status, show.Report(a.stdout, a.style, report)
}
