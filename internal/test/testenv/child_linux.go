package testenv

import "syscall"

// DiesWithParent returns attributes of a process. With them the kernel kills the process when the
// test that started it ends, even by kill -9.
func DiesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
