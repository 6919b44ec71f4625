package show

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/angel-nft/google-shuffle/internal/advice"
	"github.com/angel-nft/google-shuffle/internal/pull"
)

// maxFailures limits the failed files that are printed.
const maxFailures = 10

// Pull prints the result of a pull. What is wrong comes last, where it stays visible.
func Pull(w io.Writer, s Style, r pull.Result) error {
	return write(w, s, func(p *page) {
		version := fmt.Sprintf("version %d", r.Version)
		if r.Tag != "" {
			version += " (" + r.Tag + ")"
		}
		head := version + " in " + r.Dir + ":"
		summary := count(r.Frames, "frame") + ", " + number(r.Fetched) + " downloaded (" + sizeText(r.Bytes) + "), " + number(r.Present) + " there already"
		if r.Removed > 0 {
			summary += ", " + number(r.Removed) + " removed"
		}
		sign, c := "✓ ", green
		if !r.Whole() {
			sign, c = "✗ ", red
		}
		p.printItem(prefix{{sign, c}}, span{head, bold}, plain(summary))
		if r.Unproved > 0 {
			p.printItem(label("  "), plain("The ETags of "+count(r.Unproved, "file")+" are no MD5 (KMS, multipart): their content could not be checked."))
		}
		if r.Classless > 0 {
			p.printItem(label("  "), plain(isAre(r.Classless, "frame")+" left out: the version has no class, and so no label, for them."))
		}
		if r.Whole() {
			p.printItem(label("  "), plain("Lock file "+filepath.Join(r.Dir, pull.LockName)+": commit it with the training's code; shuffle pull --lock FILE DIR downloads exactly this version again."))
		}
		steps := p.printPullFailures(r)
		if r.Leftover > 0 {
			p.printGap()
			p.printItem(prefix{{"! ", red}}, span{count(r.Leftover, "frame") + " in the folder that are not in the version:", red},
				plain("a frame may be in two datasets now. --delete removes them."))
			steps = append(steps, step(fmt.Sprintf("pull --version %d --delete %s", r.Version, r.Dir), "make the folder equal to the version"))
		}
		p.printNext(steps...)
	})
}

func (p *page) printPullFailures(r pull.Result) []advice.Step {
	if r.Lost == 0 {
		return nil
	}
	p.printGap()
	for _, f := range r.Failed[:min(len(r.Failed), maxFailures)] {
		p.printParagraph(label("  "), 4, plain(f.File+":"), plain(f.Problem))
	}
	if more := r.Lost - maxFailures; more > 0 {
		p.printParagraph(label("  "), 4, plain("and "+number(more)+" more, see --json"))
	}
	p.printItem(prefix{{"✗ ", red}}, span{count(r.Lost, "file") + " of the version do not exist any more.", red},
		plain("They were changed after the version was published. A newer version is complete when its run has ended."))
	return []advice.Step{step("versions", "see whether there is a newer one")}
}

// sizeText writes bytes in their largest unit.
func sizeText(bytes int64) string {
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
