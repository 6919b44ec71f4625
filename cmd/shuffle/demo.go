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
	Episodes int    `help:"Episodes of the season, beside one whose sheet is broken." default:"3"`
	Frames   int    `help:"Frames of each episode." default:"2000"`
	Serve    bool   `help:"Serve the dashboard meanwhile, and leave it up at the end."`
	httpFlags
}

// demo is what the demo keeps in its folder: the season, and how far it has come, so that one that
// was cut off goes on.
type demo struct {
	Season season.Options `json:"season"`
	Made   bool           `json:"made"`   // the season is written
	Edited bool           `json:"edited"` // and so is the edit

	app  *app
	path string
}

func (c *demoCmd) run(ctx context.Context, a *app) error {
	if c.Frames < 100 || c.Episodes < 1 {
		return usage(fmt.Errorf("--frames %d --episodes %d: expected 100 frames and 1 episode at least", c.Frames, c.Episodes))
	}
	d, err := c.open(a)
	if err != nil {
		return err
	}
	if !c.Serve {
		return c.play(ctx, d)
	}
	c.HTTP = cmp.Or(c.HTTP, "127.0.0.1:8080")
	tell := func(url string) { _ = d.say("Dashboard: "+url, "") }
	return a.serving(ctx, c.httpFlags, tell, func(ctx context.Context) error {
		if err := c.play(ctx, d); err != nil {
			return err
		}
		if err := d.say("", "The dashboard stays up until Ctrl+C."); err != nil {
			return err
		}
		<-ctx.Done() // the normal end
		return nil
	})
}

// play shows the demo's two runs.
func (c *demoCmd) play(ctx context.Context, d *demo) error {
	a := d.app
	if err := d.make(ctx); err != nil {
		return err
	}
	status, err := d.round(ctx)
	if err != nil {
		return err
	}
	if status.State != state.Succeeded {
		return a.statusOutcome(ctx, status)
	}
	if !d.Edited {
		if err := d.edit(); err != nil {
			return err
		}
		if _, err := d.round(ctx); err != nil {
			return err
		}
	}
	return d.say("", "Go on with it: edit a file of "+filepath.Join(c.Dir, "sheets")+" and run the demo again, or",
		"  "+a.style.Command+" status", "  "+a.style.Command+" verify")
}

// open takes the demo that is in the folder, or begins one.
func (c *demoCmd) open(a *app) (*demo, error) {
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
	a.style.Command, a.style.Attended, a.style.Local = program()+" --local "+word(c.Dir), true, true
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

func (d *demo) say(lines ...string) error {
	for _, line := range lines {
		if _, err := fmt.Fprintln(d.app.stdout, line); err != nil {
			return err
		}
	}
	return nil
}

// make writes the season, unless it is there.
func (d *demo) make(ctx context.Context) error {
	if _, err := d.app.openStore(ctx); err != nil || d.Made {
		return err
	}
	s, err := season.Generate(d.Season)
	if err != nil {
		return err
	}
	err = d.say(fmt.Sprintf("Drawing a season of %d episodes with %d frames each, and one with a broken sheet, in %s",
		d.Season.Episodes, d.Season.Frames, filepath.Dir(d.path)), "")
	if err != nil {
		return err
	}
	err = s.Write(ctx, d.app.bucket, d.sheets())
	if ctx.Err() != nil {
		return &leftError{cause: ctx.Err(), text: "the season in " + filepath.Dir(d.path) + " is not drawn whole; the same command draws it"}
	}
	if err != nil {
		return err
	}
	d.Made = true
	return d.save()
}

func (d *demo) sheets() string { return filepath.Join(filepath.Dir(d.path), "sheets") }

// The demo's edit: of one episode a few frames are relabelled, and the rows are sorted, which moves
// none.
const relabelled = 12

func (d *demo) edit() error {
	s, err := season.Generate(d.Season)
	if err != nil {
		return err
	}
	e := s.Episodes[0]
	frames := e.Relabel(relabelled)
	e.Sort()
	if err := e.WriteSheet(d.sheets()); err != nil {
		return err
	}
	err = d.say("", fmt.Sprintf("Now somebody relabels %d frames of %s and sorts its sheet by class.", len(frames), e.Episode), "")
	if err != nil {
		return err
	}
	d.Edited = true
	return d.save()
}

// round is one run with its plan and its report.
func (d *demo) round(ctx context.Context) (state.Status, error) {
	a := d.app
	status, err := a.runAll(ctx, planner.Options{}, true, func(plan *state.Plan) error {
		return errors.Join(show.Plan(a.stdout, a.style, plan), d.say(""))
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
