package show

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/state"
)

// Report prints how a run ended: the verdict first, and last what to type.
func Report(w io.Writer, s Style, r *state.Report) error {
	return write(w, s, func(p *page) {
		p.verdict(r.Status)
		p.progress(r.Status)
		p.outcome(r)
		p.held(heldOf(r.Episodes), len(r.Episodes))
		p.manifests(r.Manifests)
		p.orphans(r.Orphans)
		p.someDifferences(r)
		p.balance(r.Balance, r.Settings)
		p.missing(r.MissingClasses, r.Settings)
		p.problems(r.Episodes)
		p.next(statusSteps(r.Status)...)
	})
}

func (p *page) outcome(r *state.Report) {
	p.item(plain("  Cost      "), plain(dollars(r.CostUSD)+", as planned"))
	version := plain(fmt.Sprintf("%d is published", r.Version))
	switch {
	case r.Version == 0:
		version = plain("none is published yet")
	case r.Version != r.Generation:
		version = plain(fmt.Sprintf("%d stays the latest", r.Version))
	}
	p.item(plain("  Version   "), version)
	if !r.Verified {
		p.item(plain("  Verified  "), plain("no: the datasets were not listed after the last task"))
	}
	if len(r.DeadCodes) > 0 {
		p.item(plain("  Dead by   "), plain(tally(r.DeadCodes)))
	}
	if r.Unreadable > 0 {
		p.item(plain("  Messages  "), span{count(r.Unreadable, "message") + " could not be read, see unreadable.jsonl", red})
	}
}

// tally writes counts by name, the largest first.
func tally(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		if name == "" {
			name = "without a code"
		}
		names[i] = number(counts[names[i]]) + " " + name
	}
	return strings.Join(names, ", ")
}

const shownDifferences = 10

func (p *page) someDifferences(r *state.Report) {
	if r.Differences == 0 {
		return
	}
	p.gap()
	p.line(span{"✗ " + count(r.Differences, "difference") + " between the datasets and the plan:", red})
	shown := r.DifferenceList[:min(len(r.DifferenceList), shownDifferences)]
	for _, d := range shown {
		p.para(plain("  "), 4, plain(d.String()))
	}
	if more := r.Differences - len(shown); more > 0 {
		p.line(plain("  and " + number(more) + " more, see the report or shuffle verify"))
	}
}
