package main

import (
	"io/fs"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// limitMemory makes the garbage collector work harder as the process comes near usualMemory or the
// limit of its container. Without that, half of its memory is garbage, and a process in a container
// is killed. GOMEMLIMIT overrides it. It returns only when the process ends.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	container, set := containerMemory(os.DirFS("/")), int64(0)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for ; ; time.Sleep(time.Second) {
		metrics.Read(live)
		if limit := memoryLimit(int64(live[0].Value.Uint64()), container); limit != set {
			debug.SetMemoryLimit(limit)
			set = limit
		}
	}
}

// usualMemory is enough for the usual garbage of all commands: they hold up to 130 MB of a few
// episodes, however many there are.
const usualMemory = 200 << 20

// memoryLimit is the limit of a process with live bytes in use, in a container with that much
// memory; 0: in none. A process that needs more than usual gets more: else it would do nothing but
// collect garbage.
func memoryLimit(live, container int64) int64 {
	limit := max(usualMemory, live/2*3)
	if container > 0 {
		limit = min(limit, container/100*memoryShare)
	}
	return limit
}

// memoryShare is the percentage of the container's memory that the Go runtime may use. The rest is
// for what it does not count: SQLite's pages, the binary, and the kernel's buffers of the
// connections.
const memoryShare = 85

// containerMemory is the memory limit of the process's control group in bytes, or 0 without a
// limit. A container sees its own group at the root of the mount. Elsewhere the name of the group
// is in /proc/self/cgroup.
func containerMemory(root fs.FS) int64 {
	groups := []string{""}
	if body, err := fs.ReadFile(root, "proc/self/cgroup"); err == nil {
		for line := range strings.Lines(string(body)) {
			// hierarchy:controllers:/group
			parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
			if len(parts) == 3 && (parts[1] == "" || parts[1] == "memory") {
				groups = append(groups, strings.TrimSuffix(strings.TrimPrefix(parts[2], "/"), "/")+"/")
			}
		}
	}
	least := int64(math.MaxInt64)
	for _, group := range groups {
		for _, file := range []string{
			"sys/fs/cgroup/" + group + "memory.max",                   // version 2
			"sys/fs/cgroup/memory/" + group + "memory.limit_in_bytes", // version 1
		} {
			body, err := fs.ReadFile(root, file)
			// The file has a number, or the word max.
			limit, parseErr := strconv.ParseInt(strings.TrimSpace(string(body)), 10, 64)
			if err == nil && parseErr == nil && limit > 0 {
				least = min(least, limit)
			}
		}
	}
	if least > unlimited {
		return 0
	}
	return least
}

// unlimited is more memory than any machine has. Control groups of version 1 give an even larger
// number, the largest multiple of a page, when there is no limit.
const unlimited = 1 << 50
