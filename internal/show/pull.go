package show

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/pull"
)

// shownFailures bounds the files that a pull names on a terminal.
const shownFailures = 10

// Pull prints what a pull came to: what is wrong last, where it is seen.
func Pull(w io.Writer, s Style, r pull.Result) error {
	return write(w, s, func(p *page) {
		version := fmt.Sprintf("version %d", r.Version)
		if r.Tag != "" {
			version += " (" + r.Tag + ")"
		}
		head := version + " in " + r.Dir + ":"
		said := count(r.Frames, "frame") + ", " + number(r.Fetched) + " downloaded (" + size(r.Bytes) + "), " + number(r.Present) + " there already"
		if r.Removed > 0 {
			said += ", " + number(r.Removed) + " removed"
		}
		sign, c := "✓ ", green
		if !r.Whole() {
			sign, c = "✗ ", red
		}
		p.item(lead{{sign, c}}, span{head, bold}, plain(said))
		if r.Unproved > 0 {
			p.item(at("  "), plain("The ETags of "+count(r.Unproved, "file")+" are no MD5 (KMS, multipart): their content was taken as it came."))
		}
		if r.Classless > 0 {
			p.item(at("  "), plain(isAre(r.Classless, "frame")+" left out: in the version without a class, and so without a label."))
		}
		if r.Whole() {
			p.item(at("  "), plain("Lock file "+filepath.Join(r.Dir, pull.LockName)+": commit it beside the training's code; shuffle pull --lock FILE DIR gets exactly this version again."))
		}
		steps := p.pullFailures(r)
		if r.Leftover > 0 {
			p.gap()
			p.item(lead{{"! ", red}}, span{count(r.Leftover, "frame") + " in the folder that the version does not have there:", red},
				plain("a frame may stand in two datasets now. --delete removes them."))
			steps = append(steps, step(fmt.Sprintf("pull --version %d --delete %s", r.Version, r.Dir), "make the folder what the version is"))
		}
		p.next(steps...)
	})
}

func (p *page) pullFailures(r pull.Result) []advice.Step {
	if r.Lost == 0 {
		return nil
	}
	p.gap()
	for _, f := range r.Failed[:min(len(r.Failed), shownFailures)] {
		p.para(at("  "), 4, plain(f.File+":"), plain(f.Problem))
	}
	if more := r.Lost - shownFailures; more > 0 {
		p.para(at("  "), 4, plain("and "+number(more)+" more, see --json"))
	}
	p.item(lead{{"✗ ", red}}, span{count(r.Lost, "file") + " of the version cannot be had any more.", red},
		plain("They were changed after it was made; a newer version is whole, once the run that makes it has ended."))
	return []advice.Step{step("versions", "is there a newer one?")}
}

// size writes bytes in the unit that people read.
func size(bytes int64) string {
	const k = 1000
	switch {
	case bytes < k:
		return count(int(bytes), "byte")
	case bytes < k*k:
		return fmt.Sprintf("%.1f kB", float64(bytes)/k)
	case bytes < k*k*k:
		return fmt.Sprintf("%.1f MB", float64(bytes)/k/k)
	}
	return fmt.Sprintf("%.1f GB", float64(bytes)/k/k/k)
}
