package dirbucket

import (
	"io/fs"
	"syscall"
)

// fingerprintOf is false where the system doesn't tell files apart; then nothing is remembered.
func fingerprintOf(st fs.FileInfo) (fingerprint, bool) {
	s, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return fingerprint{}, false
	}
	return fingerprint{inode: s.Ino, size: st.Size(), modified: st.ModTime().UnixNano(), moved: s.Ctimespec.Nano()}, true
}
