package testenv

import "syscall"

// DiesWithParent are the attributes of a process that the kernel kills when the test that started
// it ends, even by kill -9.
func DiesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
