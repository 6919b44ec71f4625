package testenv

import "syscall"

// DiesWithParent are the attributes of a process that the kernel kills when the test that started
// it ends in whatever way, kill -9 too.
func DiesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
