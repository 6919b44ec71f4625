package show

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/state"
)

// Report prints how a run ended: the verdict first, and last what to type.
func Report(w io.Writer, s Style, r *state.Report) error {
	return write(w, s, func(p *page) {
		p.verdict(r.Status)
		p.gap()
		p.progress(r.Status)
		p.outcome(r)
		p.firstDifferences(r)
		if !s.Attended {
			p.planned(r)
		}
		p.next(advice.ForStatus(r.Status)...)
	})
}

// planned is what the plan said too.
func (p *page) planned(r *state.Report) {
	p.held(heldOf(r.Episodes), len(r.Episodes))
	p.manifests(r.Manifests)
	p.orphans(r.Orphans, r.Manifests)
	if len(r.Episodes) > 0 {
		p.balance(r.Balance, r.Settings)
		p.missing(r.MissingClasses, r.Settings)
		p.gap()
		p.leakage(r.Leakage, r.LeakageGrouped, r.IdenticalImages, r.Settings)
	}
	p.problems(r.Episodes, 0, p.allProblems(r.State, r.Run))
}

// outcome is what a report knows beyond the status.
func (p *page) outcome(r *state.Report) {
	p.item(at("  Cost      "), plain(dollars(r.CostUSD)+", as planned"))
	p.item(at("  Version   "), plain(versionOf(r)))
	if !r.Verified {
		p.item(at("  Verified  "), plain("no: the datasets were not listed after the last task"))
	}
	for _, warning := range r.Warnings {
		p.para(lead{{"  Warning   ", red}}, 12, plain(warning))
	}
	if len(r.DeadCodes) > 0 {
		p.item(at("  Dead by   "), plain(tally(r.DeadCodes)))
	}
}

func versionOf(r *state.Report) string {
	switch r.Version {
	case 0:
		return "none yet"
	case r.Generation:
		return fmt.Sprintf("%d, published by this run", r.Version)
	}
	return fmt.Sprintf("%d stays the latest", r.Version)
}

// tally writes counts by name, the largest first.
func tally(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = number(counts[name]) + " " + cmp.Or(name, "without a code")
	}
	return strings.Join(names, ", ")
}

// shownDifferences bounds those of a report on a terminal.
const shownDifferences = 10

func (p *page) firstDifferences(r *state.Report) {
	if r.Differences == 0 {
		return
	}
	p.gap()
	p.head(span{"✗ " + count(r.Differences, "difference") + " between the datasets and the plan:", red})
	shown := r.DifferenceList[:min(len(r.DifferenceList), shownDifferences)]
	for _, d := range shown {
		p.para(at("  "), 4, plain(d.String()))
	}
	if more := r.Differences - len(shown); more > 0 {
		p.para(at("  "), 4, plain("and "+number(more)+" more, see --json or report.json of the run"))
	}
}
