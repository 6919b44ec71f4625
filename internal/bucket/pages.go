package bucket

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// Lister is the bucket that List and Pages need.
type Lister interface {
	ListObjects(ctx context.Context, in ListInput) (Page, error)
}

// List gets one page and checks that it can be the answer to the request, see CheckPage.
func List(ctx context.Context, b Lister, in ListInput) (Page, error) {
	page, err := b.ListObjects(ctx, in)
	if err == nil {
		err = CheckPage(in, page)
	}
	if err != nil {
		return Page{}, fmt.Errorf("list %s: %w", in.Prefix, err)
	}
	return page, nil
}

// maxEmptyPages is the largest number of consecutive empty pages. S3 sends empty pages where it
// skips deleted objects.
const maxEmptyPages = 100

// Pages reads a listing to its end or to the first error. After an error the listing is incomplete.
// It ends for every store, because each page must be after the one before, and only a few pages may
// be empty.
func Pages(ctx context.Context, b Lister, in ListInput) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		last, empty := "", 0
		for {
			page, err := List(ctx, b, in)
			if err == nil {
				last, empty, err = checkProgress(in, page, last, empty)
			}
			if err != nil {
				yield(Page{}, err)
				return
			}
			if !yield(page, nil) || page.Next == "" {
				return
			}
			in.Token = page.Next
		}
	}
}

// checkProgress returns an error when a page is not after the pages before it. last is the last
// entry of those pages, and empty is the number of empty pages at their end.
func checkProgress(in ListInput, page Page, last string, empty int) (string, int, error) {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("list %s: %w", in.Prefix, badPage(in, format, args...))
	}
	if page.Next != "" && page.Next == in.Token {
		return last, empty, bad("the answer has the same continuation token again, so the listing would never end")
	}
	first, end := bounds(page)
	if end == "" {
		if empty++; empty > maxEmptyPages {
			return last, empty, bad("%d pages in a row are empty, and the answer promises more", empty)
		}
		return last, empty, nil
	}
	if last != "" && first <= last {
		return last, 0, bad("a page begins with %.200q, but the page before ended with %.200q", first, last)
	}
	return end, 0, nil
}

// bounds returns the first and the last entry of a page. Both are empty for an empty page.
func bounds(page Page) (first, last string) {
	if n := len(page.Objects); n > 0 {
		first, last = page.Objects[0].Key, page.Objects[n-1].Key
	}
	if n := len(page.Prefixes); n > 0 {
		if first == "" || page.Prefixes[0] < first {
			first = page.Prefixes[0]
		}
		last = max(last, page.Prefixes[n-1])
	}
	return first, last
}

// CheckPage returns an error when a page cannot be the answer to the request: it has keys outside
// the prefix, keys that should be skipped, or keys out of order.
func CheckPage(in ListInput, page Page) error {
	before := in.StartAfter
	if in.Token != "" {
		before = "" // the token decides where the page starts
	}
	for _, o := range page.Objects {
		switch {
		case !strings.HasPrefix(o.Key, in.Prefix):
			return badPage(in, "the answer has the key %.200q, which does not begin with the prefix %.200q", o.Key, in.Prefix)
		case o.Key <= before:
			return badPage(in, "the answer has the key %.200q after %.200q, but a listing is in the order of its keys", o.Key, before)
		}
		before = o.Key
	}
	for i, p := range page.Prefixes {
		rest, inside := strings.CutPrefix(p, in.Prefix)
		switch {
		case in.Delimiter == "":
			return badPage(in, "the answer has the common prefix %.200q, but no delimiter was given", p)
		case !inside || !strings.HasSuffix(rest, in.Delimiter):
			return badPage(in, "the answer has the common prefix %.200q: expected %.200q, more, and %q", p, in.Prefix, in.Delimiter)
		case i > 0 && p <= page.Prefixes[i-1]:
			return badPage(in, "the answer has the common prefix %.200q after %.200q, but a listing is in their order", p, page.Prefixes[i-1])
		}
	}
	return nil
}

func badPage(in ListInput, format string, args ...any) error {
	text := fmt.Sprintf(format, args...) + ": this is not how S3 answers; check the endpoint, and whether a proxy is between"
	return &Error{Op: "ListObjectsV2", Key: in.Prefix, Code: CodeBadAnswer, Err: errors.New(text)}
}
