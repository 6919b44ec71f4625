// Package version has the dataset versions: what stood in the datasets when a run had been verified, row by row. It
// publishes them, reads and compares them, names them with tags, and removes old ones. What planner and settings need
// of a version, its description version.json, is in package state.
package version
