//go:build !linux && !darwin

package dirbucket

import "io/fs"

// fingerprintOf returns false when the system has no inodes. Then no sum is remembered.
func fingerprintOf(fs.FileInfo) (fingerprint, bool) { return fingerprint{}, false }
