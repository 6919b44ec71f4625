package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
	"github.com/angel-nft/google-shuffle/planner"
)

// episodeFlags are the flags of every command that plans, from the sheets or back to a version.
type episodeFlags struct {
	Season       string   `help:"Plan the episodes of this season only." placeholder:"S01"`
	Episode      []string `help:"Plan this episode only; repeatable." placeholder:"S01E01"`
	AllowDelete  []string `help:"Allow more deletions in this episode than --max-delete; repeatable." placeholder:"S01E01"`
	AllowRefresh []string `help:"Allow more refreshes in this episode than --max-refresh; repeatable." placeholder:"S01E01"`
	Supersede    bool     `help:"Take over from a run that is active."`
}

func (f episodeFlags) options() (planner.Options, error) {
	opt := planner.Options{Supersede: f.Supersede}
	var errs [4]error
	if f.Season != "" {
		season, err := dataset.ParseSeason(strings.TrimSpace(f.Season))
		opt.Season, errs[0] = season, flagError("season", err)
	}
	opt.Episodes, errs[1] = parseEpisodes("episode", f.Episode)
	opt.AllowDelete, errs[2] = parseEpisodes("allow-delete", f.AllowDelete)
	opt.AllowRefresh, errs[3] = parseEpisodes("allow-refresh", f.AllowRefresh)
	return opt, usage(errors.Join(errs[:]...))
}

// planFlags are the flags of every command that plans from the sheets.
type planFlags struct {
	episodeFlags
	AcceptBase []string `help:"Accept that the sheet of this episode names another image folder than in the last run; repeatable." placeholder:"S01E01"`
	Prune      []string `help:"Delete the frames of this episode, which must be in no manifest; repeatable." placeholder:"S01E05"`
	Seed       string   `help:"Seed of the split, for the first run or with --reshuffle."`
	Reshuffle  bool     `help:"Draw and record a new seed: most frames move."`

	ChangeSettings bool     `help:"Replace the datasets' recorded settings (split, group, stratify, guard, subsample, classes, seed) with those of flags and environment."`
	Pin            []string `help:"With --change-settings: keep the frames of this dataset in it; repeatable." placeholder:"test"`
	Unpin          []string `help:"With --change-settings: end the pin of this dataset; repeatable." placeholder:"test"`
}

func (f planFlags) options() (planner.Options, error) {
	opt, err := f.episodeFlags.options()
	prune, pruneErr := parseEpisodes("prune", f.Prune)
	accept, acceptErr := parseEpisodes("accept-base", f.AcceptBase)
	opt.Seed, opt.Reshuffle, opt.Prune, opt.AcceptBase = f.Seed, f.Reshuffle, prune, accept
	opt.ChangeSettings, opt.Pin, opt.Unpin = f.ChangeSettings, f.Pin, f.Unpin
	return opt, usage(errors.Join(err, pruneErr, acceptErr))
}

func parseEpisodes(flag string, names []string) ([]dataset.Episode, error) {
	var all []dataset.Episode
	for _, name := range names {
		e, err := dataset.ParseEpisodeFlag(strings.TrimSpace(name))
		if err != nil {
			return nil, flagError(flag, err)
		}
		all = append(all, e)
	}
	return all, nil
}

// flagError adds the flag and its variable to an error.
func flagError(flag string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("--%s (SHUFFLE_%s): %w", flag, strings.ToUpper(strings.ReplaceAll(flag, "-", "_")), err)
}

type planCmd struct {
	planFlags
	DryRun  bool   `help:"Show the plan, and write nothing at all."`
	Review  bool   `help:"Save the plan without publishing it; shuffle apply RUN publishes it."`
	Changes string `help:"Write every change and its cause to a CSV file." placeholder:"FILE"`
	Seeds   *int   `help:"With --dry-run: try N other seeds too, and show the best of them." placeholder:"N"`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

func (c *planCmd) run(ctx context.Context, a *app) error {
	opt, err := c.options()
	if err != nil {
		return err
	}
	if c.Seeds != nil {
		if opt.Seeds = *c.Seeds; opt.Seeds < 1 || opt.Seeds > planner.MaxSeeds {
			return usage(fmt.Errorf("--seeds %d (SHUFFLE_SEEDS): expected 1 to %d seeds", opt.Seeds, planner.MaxSeeds))
		}
		if !c.DryRun {
			return usage(errors.New("--seeds (SHUFFLE_SEEDS) tries seeds and changes nothing: expected --dry-run with it"))
		}
	}
	opt.DryRun, opt.Review = c.DryRun, c.Review
	p, err := a.openPlanner(ctx, !opt.DryRun)
	if err != nil {
		return err
	}
	plan, err := c.plan(ctx, a, p, opt)
	if plan == nil {
		return err
	}
	if shown := a.showPlan(plan, c.JSON); err == nil {
		return shown
	}
	return err // the plan exists and may be published, but its file of changes is not written
}

// plan makes the plan and writes its changes to the file of --changes. It opens the file first, so
// that an unusable name is an error before anything is planned.
func (c *planCmd) plan(ctx context.Context, a *app, p *planner.Planner, opt planner.Options) (*state.Plan, error) {
	if c.Changes == "" {
		return p.Plan(ctx, opt)
	}
	file, err := newCSVFile("changes", c.Changes, nil)
	if err != nil {
		return nil, err
	}
	dry := dryRunChanges{map[dataset.Episode][]byte{}}
	if opt.DryRun {
		opt.OnChanges = dry.add
	}
	plan, err := p.Plan(ctx, opt)
	n := 0
	switch {
	case err != nil:
	case opt.DryRun:
		n, err = dry.write(file)
	default:
		n, err = copyChanges(ctx, file, a.store, plan)
	}
	if err := file.finish(err); err != nil {
		return plan, err
	}
	a.reportWritten(c.Changes, n, "change")
	return plan, nil
}

// showPlan prints a plan. It returns errOutcome when the run has failed, when episodes are held,
// when a manifest has a problem, or when a restore cannot bring all frames back.
func (a *app) showPlan(plan *state.Plan, asJSON bool) error {
	print := func() error { return show.Plan(a.stdout, a.style, plan) }
	if asJSON {
		print = func() error { return a.printJSON(plan) }
	}
	if err := print(); err != nil {
		return err
	}
	if plan.State == state.Failed || len(plan.Held()) > 0 || len(plan.Problems) > 0 || plan.Refused() > 0 {
		return errOutcome
	}
	return nil
}
