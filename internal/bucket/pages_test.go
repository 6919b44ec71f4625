package bucket_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/angel-nft/google-shuffle/internal/bucket"
)

// store answers requests in order, the last answer again and again, each with a token of its own
// unless it has one.
type store struct {
	answers  []bucket.Page
	requests int
}

func (s *store) ListObjects(context.Context, bucket.ListInput) (bucket.Page, error) {
	page := s.answers[min(s.requests, len(s.answers)-1)]
	s.requests++
	if page.Next == "new" {
		page.Next = fmt.Sprint("token ", s.requests)
	}
	return page, nil
}

func page(next string, keys ...string) (p bucket.Page) {
	for _, key := range keys {
		if strings.HasSuffix(key, "/") {
			p.Prefixes = append(p.Prefixes, key)
		} else {
			p.Objects = append(p.Objects, bucket.Object{Key: key})
		}
	}
	p.Next = next
	return p
}

// Whatever a store answers, a walk through its pages ends, and takes nothing that was not asked
// for.
func TestPagesOfAWrongStore(t *testing.T) {
	t.Parallel()
	in := bucket.ListInput{Prefix: "a/"}
	rolled := bucket.ListInput{Prefix: "a/", Delimiter: "/"}
	for _, test := range []struct {
		name    string
		in      bucket.ListInput
		answers []bucket.Page
		says    string // "" is success
		pages   int    // handed on before the error
	}{
		{"one page", in, []bucket.Page{page("", "a/1", "a/2")}, "", 1},
		{"two pages", in, []bucket.Page{page("t", "a/1"), page("", "a/2")}, "", 2},
		{"empty pages between", in, []bucket.Page{page("new"), page("new", "a/1"), page("new"), page("", "a/2")}, "", 4},
		{"nothing", in, []bucket.Page{page("")}, "", 1},
		{"a key outside the prefix", in, []bucket.Page{page("", "a/1", "b/1")}, `key "b/1", which does not begin with the prefix "a/"`, 0},
		{"a key shorter than the prefix", in, []bucket.Page{page("", "a")}, `key "a", which does not begin with`, 0},
		{"an empty key", bucket.ListInput{}, []bucket.Page{page("", "")}, `key ""`, 0},
		{"on a later page", in, []bucket.Page{page("t", "a/1"), page("", "c")}, `key "c", which`, 1},
		{"out of order", in, []bucket.Page{page("", "a/2", "a/1")}, `"a/1" after "a/2"`, 0},
		{"a key twice", in, []bucket.Page{page("", "a/1", "a/1")}, `"a/1" after "a/1"`, 0},
		{"what was to be left out", bucket.ListInput{Prefix: "a/", StartAfter: "a/1"}, []bucket.Page{page("", "a/1")}, `"a/1" after "a/1"`, 0},
		{"the same page again", in, []bucket.Page{page("new", "a/1", "a/2")}, `begins with "a/1", but the page before ended with "a/2"`, 1},
		{"the same token again", in, []bucket.Page{page("t", "a/1"), page("t", "a/2")}, "same continuation token", 1},
		{"empty pages without an end", in, []bucket.Page{page("new")}, "pages in a row are empty", 100},
		{"common prefixes", rolled, []bucket.Page{page("t", "a/b/", "a/c"), page("", "a/d/")}, "", 2},
		{"a common prefix elsewhere", rolled, []bucket.Page{page("", "b/")}, `common prefix "b/"`, 0},
		{"a common prefix that is the prefix", rolled, []bucket.Page{page("", "a/")}, `common prefix "a/"`, 0},
		{"a common prefix without a delimiter", in, []bucket.Page{page("", "a/b/")}, "no delimiter", 0},
		{"a common prefix twice", rolled, []bucket.Page{page("", "a/b/", "a/b/")}, `"a/b/" after "a/b/"`, 0},
		{"the same common prefixes again", rolled, []bucket.Page{page("new", "a/b/")}, `begins with "a/b/"`, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			pages, failed := 0, error(nil)
			for _, err := range bucket.Pages(t.Context(), &store{answers: test.answers}, test.in) {
				if failed = err; err == nil {
					pages++
				}
			}
			var e *bucket.Error
			switch {
			case pages != test.pages:
				t.Errorf("%d pages, then %v; expected %d", pages, failed, test.pages)
			case test.says == "" && failed != nil:
				t.Error(failed)
			case test.says != "" && (!errors.As(failed, &e) || e.Code != bucket.CodeBadAnswer || !strings.Contains(failed.Error(), test.says)):
				t.Errorf("error %v, expected %q", failed, test.says)
			}
		})
	}
}
