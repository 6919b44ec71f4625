package config

import "strings"

// shortestPart is the length from which a name that begins another one is taken for a part of it.
const shortestPart = 4

// Nearest is the candidate with the fewest typing slips from name, at most so many, or "" when none is that close. A name that is cut
// short, or goes on after the candidate, counts as one slip.
func Nearest(name string, candidates []string, most int) string {
	best, fewest := "", most+1
	for _, candidate := range candidates {
		n := slips(name, candidate)
		if min(len(name), len(candidate)) >= shortestPart && (strings.HasPrefix(name, candidate) || strings.HasPrefix(candidate, name)) {
			n = min(n, 1)
		}
		if n < fewest {
			best, fewest = candidate, n
		}
	}
	return best
}

// slips is the optimal string alignment distance: characters left out, put in or replaced, and neighbours swapped.
func slips(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			replaced := row[j]
			if a[i] != b[j] {
				replaced++
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, replaced)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
