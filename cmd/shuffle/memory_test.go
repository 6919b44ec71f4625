package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

func TestContainerMemory(t *testing.T) {
	const none = "9223372036854771712\n" // of cgroup version 1
	for _, test := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"no container", nil, 0},
		{"version 2", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1073741824\n"}, 1 << 30},
		{"version 2 without a limit", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 0},
		{"version 2, a service", map[string]string{"proc/self/cgroup": "0::/system.slice/shuffle.service\n", "sys/fs/cgroup/system.slice/shuffle.service/memory.max": "536870912\n"}, 512 << 20},
		{"version 1", map[string]string{"proc/self/cgroup": "5:memory:/ecs/task/container\n3:cpu,cpuacct:/x\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n"}, 1 << 30},
		{"version 1, a group in a larger one", map[string]string{"proc/self/cgroup": "5:memory:/a\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": none, "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "268435456\n"}, 256 << 20},
		{"version 1 without a limit", map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": none}, 0},
		{"nonsense", map[string]string{"proc/self/cgroup": "::::\nx\n", "sys/fs/cgroup/memory.max": "-1"}, 0},
	} {
		root := fstest.MapFS{}
		for name, body := range test.files {
			root[name] = &fstest.MapFile{Data: []byte(body)}
		}
		if got := containerMemory(root); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestGarbagePercent(t *testing.T) {
	const mb = 1 << 20
	for _, test := range []struct {
		live uint64
		want int
	}{{0, 400}, {4 * mb, 400}, {24 * mb, 200}, {48 * mb, 100}, {96 * mb, 50}, {2000 * mb, 25}} {
		if got := garbagePercent(test.live); got != test.want {
			t.Errorf("%d MB in use: %d %%, want %d %%", test.live/mb, got, test.want)
		}
	}
}

// TestAdjustGC: the percentage follows each collection.
func TestAdjustGC(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	adjustGC()
	held := make([]byte, 256<<20)
	defer runtime.KeepAlive(held)
	for range 1000 {
		runtime.GC()
		runtime.Gosched() // the cleanup has a goroutine of its own
		if percent := debug.SetGCPercent(100); percent == 25 {
			return
		}
	}
	t.Error("the percentage does not change")
}
