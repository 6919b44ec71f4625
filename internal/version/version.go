// Package version has the dataset versions. A version records the content of the datasets when a
// run was verified, row by row. The package publishes, reads, compares, tags and removes versions.
// The description of a version, version.json, is in package state, because planner and settings
// need it.
package version
