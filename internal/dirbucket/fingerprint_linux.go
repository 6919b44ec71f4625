package dirbucket

import (
	"io/fs"
	"syscall"
)

// fingerprintOf returns false when the system has no inodes. Then no sum is remembered.
func fingerprintOf(st fs.FileInfo) (fingerprint, bool) {
	s, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return fingerprint{}, false
	}
	return fingerprint{inode: s.Ino, size: st.Size(), modified: st.ModTime().UnixNano(), moved: s.Ctim.Nano()}, true
}
