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

// Why prints what is known of one frame: the verdict first, then how it comes about, and last what
// was done to it.
func Why(w io.Writer, s Style, x *why.Explanation) error {
	return write(w, s, func(p *page) {
		p.whyVerdict(x)
		p.gap()
		p.whySheet(x)
		p.whySplit(x)
		p.whyBucket(x)
		p.whyHistory(x)
		p.next(whySteps(x)...)
	})
}

func (p *page) whyVerdict(x *why.Explanation) {
	name := span{string(x.Frame) + ":", bold}
	switch {
	case x.Unknown:
		p.item(lead{{"! ", red}}, name, span{"unknown:", red}, plain(p.Commands(x.Held)))
	case x.Held != "":
		p.item(lead{{"! ", red}}, name, span{"its episode " + string(x.Episode) + " is held, and left as it stands:", red}, plain(p.Commands(x.Held)))
	case x.Frozen != "":
		p.item(lead{{"! ", red}}, name, span{"frozen, and left as it stands:", red}, plain(x.Frozen))
	case x.Change == "keep":
		p.item(lead{{"✓ ", green}}, name, plain("it stands where it should, in "+placeName(x.Wanted.Dataset, x.Wanted.Class)))
	case x.Change == "":
		p.item(lead{{"✓ ", green}}, name, plain("it stands nowhere and should not: "+nowhere(x)))
	case x.Wanted == nil:
		p.item(lead{{"… ", ""}}, name, plain("the next plan deletes it from the datasets: "+nowhere(x)))
	default:
		p.item(lead{{"… ", ""}}, name, plain(coming(x)))
	}
}

func placeName(name, class string) string { return shown(name) + "/" + shown(class) }

// coming is what the next plan does to a frame that is wanted.
func coming(x *why.Explanation) string {
	where := placeName(x.Wanted.Dataset, x.Wanted.Class)
	switch messages.Op(x.Change) {
	case messages.Copy:
		return "the next plan copies it to " + where
	case messages.Move:
		return "the next plan moves it to " + where
	case messages.Refresh:
		return "the next plan copies its image anew to " + where + ", where it stands with old content"
	}
	return "the next plan deletes its other copies; it belongs in " + where
}

// nowhere is why a frame is wanted nowhere.
func nowhere(x *why.Explanation) string {
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

func (p *page) whySheet(x *why.Explanation) {
	if x.Sheet.Title != "" || x.Sheet.URL != "" {
		p.item(at("Sheet     "), plain(fmt.Sprintf("%.80s", x.Sheet.Title)), span{x.Sheet.URL, dim})
	}
	for _, r := range x.Rows {
		p.item(at("Row       "), plain(fmt.Sprint(r.Row)))
		for _, cell := range []struct{ column, text string }{
			{rows.ColumnJonny, r.Jonny}, {rows.ColumnSupervised, r.Supervised}, {rows.ColumnUnsupervised, r.Unsupervised}} {
			text := span{cmp.Or(cell.text, "(blank)"), dim}
			decides := ""
			if cell.column == r.Deciding {
				text.color, decides = bold, "← decides"
			}
			if label := at(fmt.Sprintf("          %-27s  ", cell.column)); label.width() <= p.width()/2 {
				p.item(label, text, plain(decides))
			} else {
				p.item(at("          "), plain(cell.column+":"), text, plain(decides))
			}
		}
	}
	if x.Class != "" {
		p.item(at("Class     "), plain(x.Class))
	}
	for _, problem := range x.Problems {
		p.item(at("Problem   "), span{fmt.Sprintf("row %d:", problem.Row), red}, span{p.Commands(problem.Problem), red})
	}
}

// whySplit prints the unit, its hash and its place on the line of the ratios.
func (p *page) whySplit(x *why.Explanation) {
	s := x.Split
	if s.Seed == "" {
		p.item(at("Dataset   "), plain("not known: there is no seed yet, the first run draws it"))
		return
	}
	unit := "the frame itself"
	if s.Unit != string(x.Frame) {
		unit = "the block " + s.Unit
	}
	p.item(at("Unit      "), plain(unit+", hash u ="), plain(fmt.Sprintf("%.6f", s.U)))
	if s.Stratified {
		p.item(at("          "), plain(fmt.Sprintf("stratified: by its rank within its class it lies at %.6f", s.Line)))
	}
	for _, line := range ratioLine(s, min(p.width()-12, 60)) {
		p.line(plain("          " + line))
	}
	dataset := s.Dataset
	if s.LeftOut != "" {
		dataset = "none: " + s.LeftOut
	}
	if s.Pinned != "" {
		dataset += ": " + s.Pinned
	}
	p.item(at("Dataset   "), plain(dataset))
}

// ratioLine draws the shares to scale, w columns wide, and a mark where the unit lies.
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

func (p *page) whyBucket(x *why.Explanation) {
	if x.Source.Key != "" {
		p.item(at("Image     "), plain(x.Source.Key), span{etagOf(x.Source, "there is none"), dim})
	}
	for _, c := range x.Stands {
		content := "the image as it is now"
		if !c.Current {
			content = "not the image as it is now"
		}
		p.item(at("Stands    "), plain(c.Key), span{etagOf(c.Object, "") + ",", dim}, plain(content))
	}
	if len(x.Stands) == 0 {
		p.item(at("Stands    "), plain("nowhere"))
	}
	if x.Held != "" || x.Frozen != "" {
		return
	}
	if x.Wanted == nil {
		p.item(at("Should    "), plain("stand nowhere: "+nowhere(x)))
		return
	}
	p.item(at("Should    "), plain(x.Wanted.Key))
}

func etagOf(o why.Object, none string) string {
	if o.ETag == "" {
		return none
	}
	return "ETag " + o.ETag
}

func (p *page) whyHistory(x *why.Explanation) {
	p.gap()
	if len(x.Operations) == 0 {
		p.head(plain("Nothing was done to it in the newest " + count(x.Runs, "run") + "."))
		return
	}
	p.head(span{"Operations", bold}, plain("of the newest "+count(x.Runs, "run")+", the last first:"))
	for _, o := range x.Operations {
		outcome := span{string(o.Outcome), green}
		switch {
		case o.Outcome == "":
			outcome = span{"no result", dim}
		case !o.Outcome.IsDone():
			outcome.color = red
		}
		p.item(at("  "+o.Run+"  "), outcome, plain(operation(o)), span{strings.TrimSpace(o.Code + " " + o.Reason), red})
	}
}

// operation is a task in words, its places without the prefix that all of them share.
func operation(o why.Operation) string {
	return fmt.Sprintf("(%s, seq %d) %s", o.Op, o.Seq, figure.Places(o.Del, o.Dst))
}

func whySteps(x *why.Explanation) []advice.Step {
	steps := []advice.Step{}
	for _, o := range x.Operations[:min(len(x.Operations), 1)] {
		if o.Outcome == messages.Dead && o.Code != bucket.CodeNoSuchKey && o.Run == x.Current {
			steps = append(steps, step(fmt.Sprintf("redrive %s --seq %d", o.Run, o.Seq), "mend the cause first"))
		}
	}
	switch {
	case x.Unknown:
		return append(steps, step("doctor", "which manifests, sheets and images there are"))
	case x.Held != "" || x.Frozen != "":
		return append(steps, step("plan", "when that is mended"))
	case x.Change != "" && x.Change != "keep":
		return append(steps, step("plan --episode "+string(x.Episode), "plan it"))
	}
	return steps
}
