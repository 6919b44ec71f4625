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

func TestGarbage(t *testing.T) {
	const mb = 1 << 20
	for _, test := range []struct {
		live    uint64
		percent int
		limit   int64
	}{
		{0, 400, 192 * mb}, {4 * mb, 400, 192 * mb}, {36 * mb, 300, 192 * mb}, {72 * mb, 100, 192 * mb},
		{96 * mb, 50, 192 * mb}, {120 * mb, 40, 240 * mb}, {2000 * mb, 25, 4000 * mb},
	} {
		if percent, limit := garbagePercent(test.live), softLimit(test.live); percent != test.percent || limit != test.limit {
			t.Errorf("%d MB in use: %d %% and %d MB, want %d %% and %d MB", test.live/mb, percent, limit/mb, test.percent, test.limit/mb)
		}
	}
}

// TestAfterCollections: the percentage follows each collection.
func TestAfterCollections(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	afterCollections(func(live uint64) { debug.SetGCPercent(garbagePercent(live)) })
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
