package testenv_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/angel-nft/google-shuffle/internal/test/testenv"
)

// TestDiesWithParent: this test starts itself as a parent, which starts a child. The parent is
// killed, and the child must end too.
func TestDiesWithParent(t *testing.T) {
	const role = "SHUFFLE_TEST_PARENT"
	if os.Getenv(role) != "" {
		child := exec.Command("sleep", "1000")
		child.SysProcAttr = testenv.DiesWithParent()
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("child", child.Process.Pid)
		_ = child.Wait() // the parent is killed meanwhile
		return
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestDiesWithParent$")
	parent.Env, parent.SysProcAttr = append(os.Environ(), role+"=1"), testenv.DiesWithParent()
	out, err := parent.StdoutPipe()
	if err == nil {
		err = parent.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, more := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(line), "child "))
	if err := errors.Join(err, more, parent.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	for deadline := time.Now().Add(time.Minute); !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) && !isZombie(pid); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d lives after its parent", pid)
		}
	}
}

// isZombie reports whether the process has ended without a parent that has read its exit code. The
// new parent may read it late or never.
func isZombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
