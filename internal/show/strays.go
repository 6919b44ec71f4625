package show

import (
	"fmt"

	"github.com/angel-nft/google-shuffle/internal/dataset"
)

// printStrays prints the keys below ML/ that are no frames of a dataset.
func (p *page) printStrays(s *dataset.StrayCount) {
	if s == nil {
		return
	}
	p.printGap()
	p.printHead(span{"! Strays: " + countStrays(s), bold})
	for _, key := range s.Examples {
		p.printParagraph(label("  "), 4, plain(fmt.Sprintf("%.200q", key)))
	}
	if more := s.Count - len(s.Examples); more > 0 {
		p.printParagraph(label("  "), 4, plain("and "+number(more)+" more, in the same folders or others"))
	}
	if s.Unlisted != "" {
		p.printParagraph(label("  "), 4, plain("not every folder could be listed: "+s.Unlisted))
	}
}

func countStrays(s *dataset.StrayCount) string {
	n := count(s.Count, "key")
	if s.AtLeast {
		n = "at least " + n
	}
	return n + " below ML/ not part of any dataset, not changed"
}

// Strays is doctor's line about the keys below ML/ that are no frames of a dataset.
func Strays(s *dataset.StrayCount) string {
	if s == nil {
		return "none"
	}
	text := countStrays(s)
	if len(s.Examples) > 0 {
		text += fmt.Sprintf(", such as %.200q", s.Examples)
	}
	if s.Unlisted != "" {
		text += "; not every folder could be listed: " + s.Unlisted
	}
	return text
}
