//go:build !linux

package testenv

import "syscall"

// DiesWithParent works only on Linux: elsewhere a killed test leaves its processes behind.
func DiesWithParent() *syscall.SysProcAttr { return nil }
