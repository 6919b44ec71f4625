//go:build race

package worlds

// raced: with the race detector a step costs six times as much, and the search is a sample. make
// worlds does it whole.
const raced = true
