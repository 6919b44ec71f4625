// Package filelock locks files against other processes. A lock belongs to the open file: closing it unlocks, and so does the
// end of the process, however it ends.
package filelock

import "os"

// Lock waits until it has the file, alone when exclusive, else together with others that do not want it alone.
func Lock(f *os.File, exclusive bool) error {
	_, err := lock(f, exclusive, true)
	return err
}

// TryLock takes the file for this process alone. It is false when another has it.
func TryLock(f *os.File) (bool, error) { return lock(f, true, false) }
