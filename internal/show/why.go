package show

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/bucket"
	"github.com/angel-nft/google-shuffle/internal/figure"
	"github.com/angel-nft/google-shuffle/internal/rows"
	"github.com/angel-nft/google-shuffle/internal/why"
	"github.com/angel-nft/google-shuffle/messages"
)

// Why explains one frame: first the result, then the reasons, and last its tasks in past runs.
func Why(w io.Writer, s Style, x *why.Explanation) error {
	return write(w, s, func(p *page) {
		p.printWhyVerdict(x)
		p.printGap()
		p.printWhySheet(x)
		p.printWhySplit(x)
		p.printWhyBucket(x)
		p.printWhyHistory(x)
		p.printNext(whySteps(x)...)
	})
}

func (p *page) printWhyVerdict(x *why.Explanation) {
	name := span{string(x.Frame) + ":", bold}
	switch {
	case x.Unknown:
		p.printItem(prefix{{"! ", red}}, name, span{"unknown:", red}, plain(p.RewriteCommands(x.Held)))
	case x.Held != "":
		p.printItem(prefix{{"! ", red}}, name, span{"its episode " + string(x.Episode) + " is held, so it does not change:", red}, plain(p.RewriteCommands(x.Held)))
	case x.Frozen != "":
		p.printItem(prefix{{"! ", red}}, name, span{"frozen, so it does not change:", red}, plain(x.Frozen))
	case x.Change == "keep":
		p.printItem(prefix{{"✓ ", green}}, name, plain("it is where it should be, in "+placeName(x.Wanted.Dataset, x.Wanted.Class)))
	case x.Change == "":
		p.printItem(prefix{{"✓ ", green}}, name, plain("it is in no dataset, which is right: "+unwantedReason(x)))
	case x.Wanted == nil:
		p.printItem(prefix{{"… ", ""}}, name, plain("the next plan deletes it from the datasets: "+unwantedReason(x)))
	default:
		p.printItem(prefix{{"… ", ""}}, name, plain(nextChange(x)))
	}
}

func placeName(name, class string) string { return shorten(name) + "/" + shorten(class) }

// nextChange is what the next plan does to a frame that belongs in a dataset.
func nextChange(x *why.Explanation) string {
	where := placeName(x.Wanted.Dataset, x.Wanted.Class)
	switch messages.Op(x.Change) {
	case messages.Copy:
		return "the next plan copies it to " + where
	case messages.Move:
		return "the next plan moves it to " + where
	case messages.Refresh:
		return "the next plan copies its image again to " + where + ", where it has old content"
	}
	return "the next plan deletes its other copies; it belongs in " + where
}

// unwantedReason is why a frame belongs in no dataset.
func unwantedReason(x *why.Explanation) string {
	switch {
	case len(x.Rows) == 0:
		return "no row of the sheet names it"
	case x.Class == "":
		return "its row has no class"
	case x.Source.ETag == "":
		return "it has the class " + x.Class + ", but no source image"
	}
	return cmp.Or(x.Split.LeftOut, "it is in no dataset")
}

func (p *page) printWhySheet(x *why.Explanation) {
	if x.Sheet.Title != "" || x.Sheet.URL != "" {
		p.printItem(label("Sheet     "), plain(fmt.Sprintf("%.80s", x.Sheet.Title)), span{x.Sheet.URL, dim})
	}
	for _, r := range x.Rows {
		p.printItem(label("Row       "), plain(fmt.Sprint(r.Row)))
		for _, cell := range []struct{ column, text string }{
			{rows.ColumnJonny, r.Jonny}, {rows.ColumnSupervised, r.Supervised}, {rows.ColumnUnsupervised, r.Unsupervised}} {
			text := span{cmp.Or(cell.text, "(blank)"), dim}
			decides := ""
			if cell.column == r.Deciding {
				text.color, decides = bold, "← decides"
			}
			if head := label(fmt.Sprintf("          %-27s  ", cell.column)); head.width() <= p.width()/2 {
				p.printItem(head, text, plain(decides))
			} else {
				p.printItem(label("          "), plain(cell.column+":"), text, plain(decides))
			}
		}
	}
	if x.Class != "" {
		p.printItem(label("Class     "), plain(x.Class))
	}
	for _, problem := range x.Problems {
		p.printItem(label("Problem   "), span{fmt.Sprintf("row %d:", problem.Row), red}, span{p.RewriteCommands(problem.Problem), red})
	}
}

// printWhySplit prints the unit, its hash and its place on the line of the ratios.
func (p *page) printWhySplit(x *why.Explanation) {
	s := x.Split
	if s.Seed == "" {
		p.printItem(label("Dataset   "), plain("not known: there is no seed yet; the first run draws one"))
		return
	}
	unit := "the frame itself"
	if s.Unit != string(x.Frame) {
		unit = "the block " + s.Unit
	}
	p.printItem(label("Unit      "), plain(unit+", hash u ="), plain(fmt.Sprintf("%.6f", s.U)))
	if s.Stratified {
		p.printItem(label("          "), plain(fmt.Sprintf("stratified: its rank within its class puts it at %.6f", s.Line)))
	}
	for _, line := range ratioLine(s, min(p.width()-12, 60)) {
		p.printLine(plain("          " + line))
	}
	dataset := s.Dataset
	if s.LeftOut != "" {
		dataset = "none: " + s.LeftOut
	}
	if s.Pinned != "" {
		dataset += ": " + s.Pinned
	}
	p.printItem(label("Dataset   "), plain(dataset))
}

// ratioLine draws the shares to scale, w columns wide, and a mark at the unit's place.
func ratioLine(s why.Split, w int) []string {
	column := func(at float64) int { return min(max(int(at*float64(w)+0.5), 0), w) }
	scale, line := []rune(strings.Repeat(" ", w+4)), []rune(strings.Repeat("-", w+1))
	put := func(at int, text string) {
		before, after := max(at-1, 0), min(at+len(text)+1, len(scale))
		if strings.TrimSpace(string(scale[before:after])) == "" {
			copy(scale[at:], []rune(text))
		}
	}
	put(0, "0")
	put(w, "1")
	line[0], line[w] = '|', '|'
	for _, share := range s.Shares {
		from, to := column(share.From), column(share.To)
		line[from], line[to] = '|', '|'
		put(to, fmt.Sprintf("%.3g", share.To))
		room := to - from - 1
		name := []rune(" " + share.Dataset + " ")
		if len(name) > room {
			name = []rune(share.Dataset)[:max(min(len(name)-2, room), 0)]
		}
		copy(line[from+1+max(room-len(name), 0)/2:], name)
	}
	mark := strings.Repeat(" ", min(int(s.Line*float64(w)), w)) + "^"
	return []string{strings.TrimRight(string(scale), " "), string(line), mark}
}

func (p *page) printWhyBucket(x *why.Explanation) {
	if x.Source.Key != "" {
		p.printItem(label("Image     "), plain(x.Source.Key), span{etagOf(x.Source, "there is none"), dim})
	}
	for _, c := range x.Stands {
		content := "equal to the present image"
		if !c.Current {
			content = "differs from the present image"
		}
		p.printItem(label("Is in     "), plain(c.Key), span{etagOf(c.Object, "") + ",", dim}, plain(content))
	}
	if len(x.Stands) == 0 {
		p.printItem(label("Is in     "), plain("no dataset"))
	}
	if x.Held != "" || x.Frozen != "" {
		return
	}
	if x.Wanted == nil {
		p.printItem(label("Should be "), plain("in no dataset: "+unwantedReason(x)))
		return
	}
	p.printItem(label("Should be "), plain(x.Wanted.Key))
}

func etagOf(o why.Object, none string) string {
	if o.ETag == "" {
		return none
	}
	return "ETag " + o.ETag
}

func (p *page) printWhyHistory(x *why.Explanation) {
	p.printGap()
	if len(x.Operations) == 0 {
		p.printHead(plain("The newest " + count(x.Runs, "run") + " had no task for it."))
		return
	}
	p.printHead(span{"Operations", bold}, plain("of the newest "+count(x.Runs, "run")+", the last first:"))
	for _, o := range x.Operations {
		outcome := span{string(o.Outcome), green}
		switch {
		case o.Outcome == "":
			outcome = span{"no result", dim}
		case !o.Outcome.IsDone():
			outcome.color = red
		}
		// The places are shorter than the whole keys.
		task := fmt.Sprintf("(%s, seq %d) %s", o.Op, o.Seq, figure.Places(o.Del, o.Dst))
		p.printItem(label("  "+o.Run+"  "), outcome, plain(task), span{strings.TrimSpace(o.Code + " " + o.Reason), red})
	}
}

func whySteps(x *why.Explanation) []advice.Step {
	steps := []advice.Step{}
	for _, o := range x.Operations[:min(len(x.Operations), 1)] {
		if o.Outcome == messages.Dead && o.Code != bucket.CodeNoSuchKey && o.Run == x.Current {
			steps = append(steps, step(fmt.Sprintf("redrive %s --seq %d", o.Run, o.Seq), "fix the cause first"))
		}
	}
	switch {
	case x.Unknown:
		return append(steps, step("doctor", "check manifests, sheets and images"))
	case x.Held != "" || x.Frozen != "":
		return append(steps, step("plan", "when that is fixed"))
	case x.Change != "" && x.Change != "keep":
		return append(steps, step("plan --episode "+string(x.Episode), "plan it"))
	}
	return steps
}
