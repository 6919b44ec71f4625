package state

import (
	"maps"
	"slices"
)

// ClassNumber is a class whose number changes. A model trained on a version identifies the class by
// this number.
type ClassNumber struct {
	Class  string `json:"class"`
	Before *int   `json:"before"` // nil: the class is new
	After  *int   `json:"after"`  // nil: the class is gone
}

// ClassNumberChanges compares the class numbers before and after. Each list holds a Version's
// ClassNames, or for a plan the names that its version will have, in any order. When there were no
// classes before, nothing changes.
func ClassNumberChanges(before, after []string) []ClassNumber {
	return ChangedNumbers(numberClasses(before), numberClasses(after))
}

// ChangedNumbers lists the classes whose number differs, the new classes and the removed classes,
// by name. When there were no classes before, nothing changes.
func ChangedNumbers(before, after map[string]int) []ClassNumber {
	if len(before) == 0 {
		return nil
	}
	number := func(of map[string]int, class string) *int {
		if n, ok := of[class]; ok {
			return &n
		}
		return nil
	}
	names := map[string]bool{}
	for _, of := range []map[string]int{before, after} {
		for class := range of {
			names[class] = true
		}
	}
	var changes []ClassNumber
	for _, class := range slices.Sorted(maps.Keys(names)) {
		c := ClassNumber{Class: class, Before: number(before, class), After: number(after, class)}
		if c.Before == nil || c.After == nil || *c.Before != *c.After {
			changes = append(changes, c)
		}
	}
	return changes
}

// numberClasses numbers classes from 0 by name, as loaders of class folders do: see
// Version.ClassNames.
func numberClasses(names []string) map[string]int {
	index := map[string]int{}
	for i, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		index[name] = i
	}
	return index
}

// Renumbers reports whether a number or a class that exists before and after has a different
// partner. If not, classes were only added or removed at the end.
func Renumbers(changes []ClassNumber) bool {
	taken := map[int]bool{}
	for _, c := range changes {
		if c.Before != nil {
			taken[*c.Before] = true
		}
	}
	return slices.ContainsFunc(changes, func(c ClassNumber) bool {
		return c.After != nil && (c.Before != nil || taken[*c.After])
	})
}
