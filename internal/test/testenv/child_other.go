//go:build !linux

package testenv

import "syscall"

// DiesWithParent has no effect on this system: only Linux can do it. A killed test leaves its
// processes running.
func DiesWithParent() *syscall.SysProcAttr { return nil }
