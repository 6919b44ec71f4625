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

// Report prints how a run ended: its state first, and the next commands last.
func Report(w io.Writer, s Style, r *state.Report) error {
	return write(w, s, func(p *page) {
		p.printVerdict(r.Status)
		p.printGap()
		p.printProgress(r.Status)
		p.printOutcome(r)
		p.printDifferences(r)
		if !s.ReportFollows { // these parts are those of the run's plan
			p.printHeld(heldInPlan(r.Episodes), len(r.Episodes))
			p.printManifests(r.Manifests)
			p.printOrphans(r.Orphans, r.Manifests)
			if len(r.Episodes) > 0 {
				p.printBalance(r.Balance, r.Settings)
				p.printMissing(r.MissingClasses, r.Settings)
				p.printGap()
				p.printLeakage(r.Leakage, r.LeakageGrouped, r.IdenticalImages, r.Settings)
			}
			p.printProblems(r.Episodes, 0, p.allProblemsHint(r.State, r.Run))
		}
		p.printNext(advice.ForStatus(r.Status)...)
	})
}

// printOutcome prints what the report has and the status has not.
func (p *page) printOutcome(r *state.Report) {
	p.printItem(label("  Cost      "), plain(dollars(r.CostUSD)+", as planned"))
	published := fmt.Sprintf("%d stays the latest", r.Version)
	switch r.Version {
	case 0:
		published = "none yet"
	case r.Generation:
		published = fmt.Sprintf("%d, published by this run", r.Version)
	}
	p.printItem(label("  Version   "), plain(published))
	if !r.Verified {
		p.printItem(label("  Verified  "), plain("no: the datasets were not listed after the last task"))
	}
	for _, warning := range r.Warnings {
		p.printParagraph(prefix{{"  Warning   ", red}}, 12, plain(warning))
	}
	if len(r.DeadCodes) > 0 {
		p.printItem(label("  Dead by   "), plain(tally(r.DeadCodes)))
	}
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

// maxDifferences limits the differences of a report that are printed.
const maxDifferences = 10

func (p *page) printDifferences(r *state.Report) {
	if r.Differences == 0 {
		return
	}
	p.printGap()
	p.printHead(span{"✗ " + count(r.Differences, "difference") + " between the datasets and the plan:", red})
	shown := r.DifferenceList[:min(len(r.DifferenceList), maxDifferences)]
	for _, d := range shown {
		p.printParagraph(label("  "), 4, plain(d.String()))
	}
	if more := r.Differences - len(shown); more > 0 {
		p.printParagraph(label("  "), 4, plain("and "+number(more)+" more, see --json or report.json of the run"))
	}
}
