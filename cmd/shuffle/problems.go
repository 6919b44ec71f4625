package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/angel-nft/google-shuffle/internal/dataset"
	"github.com/angel-nft/google-shuffle/internal/show"
	"github.com/angel-nft/google-shuffle/internal/state"
)

type problemsCmd struct {
	Run     string   `arg:"" optional:"" help:"The newest run or review by default."`
	Episode []string `help:"Show the sheet of this episode only; repeatable." placeholder:"S01E01"`
	CSV     string   `name:"csv" help:"Write all problems to this file, for the owners of the sheets; - is stdout." placeholder:"FILE"`
	JSON    bool     `name:"json" help:"Print the counts by kind, and the episodes with their problems, as one JSON object."`
}

// problemsJSON is what problems --json prints.
type problemsJSON struct {
	Run      string              `json:"run"`
	State    state.State         `json:"state"`
	Kinds    []state.ProblemKind `json:"kinds"`
	Episodes []state.EpisodePlan `json:"episodes"`
}

func (c *problemsCmd) run(ctx context.Context, a *app) error {
	only, err := parseEpisodes("episode", c.Episode)
	if err != nil {
		return usage(err)
	}
	plan, st, err := a.readPlan(ctx, c.Run)
	if err != nil {
		return err
	}
	if plan.Episodes, err = selectEpisodes(plan, only); err != nil {
		return err
	}
	switch {
	case c.CSV != "":
		file, err := newCSVFile("csv", c.CSV, a.stdout)
		if err != nil {
			return err
		}
		n, err := writeProblemRows(ctx, file, a.store, plan)
		if err := file.finish(err); err != nil {
			return err
		}
		a.reportWritten(c.CSV, n, "problem")
		return nil
	case c.JSON:
		return a.printJSON(problemsJSON{plan.Run, st, append([]state.ProblemKind{}, state.Kinds(plan.Episodes)...), plan.Episodes})
	}
	return show.Problems(a.stdout, a.style, plan.Run, st, plan.Episodes)
}

// selectEpisodes returns the plan's episodes with these names, or all without a name.
func selectEpisodes(plan *state.Plan, only []dataset.Episode) ([]state.EpisodePlan, error) {
	if len(only) == 0 {
		return plan.Episodes, nil
	}
	var picked []state.EpisodePlan
	for _, name := range only {
		i := slices.IndexFunc(plan.Episodes, func(e state.EpisodePlan) bool { return e.Name() == name })
		if i < 0 {
			return nil, usage(fmt.Errorf("--episode %s: run %s did not plan it", name, plan.Run))
		}
		picked = append(picked, plan.Episodes[i])
	}
	return picked, nil
}

// problemsHeader is the header of the CSV of problems. Column sheet has the sheet's address.
var problemsHeader = []string{"sheet", "row", "frame", "column", "problem", "kind", "new"}

// writeProblemRows writes all problems as CSV, sheet by sheet.
func writeProblemRows(ctx context.Context, to io.Writer, store *state.Store, plan *state.Plan) (n int, err error) {
	w := csv.NewWriter(to)
	if err := w.Write(problemsHeader); err != nil {
		return 0, err
	}
	for _, e := range plan.Episodes {
		all, err := store.ReadProblems(ctx, plan.Run, e)
		if err != nil {
			return n, err
		}
		for _, p := range all {
			row := ""
			if p.Row > 0 {
				row = strconv.Itoa(p.Row)
			}
			kind := state.CountKinds([]state.Problem{p})[0]
			cells := []string{cmp.Or(e.Sheet, string(e.Name())), row, p.Frame, p.Column, p.Problem, kind.String(), strconv.FormatBool(p.New)}
			if err := w.Write(state.DefuseAll(cells)); err != nil {
				return n, err
			}
			n++
		}
	}
	w.Flush()
	return n, w.Error()
}
