//go:build !linux

package testenv

import "syscall"

// DiesWithParent is of Linux only: elsewhere a test that is killed leaves its processes behind.
func DiesWithParent() *syscall.SysProcAttr { return nil }
