package main

import (
	"io/fs"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitMemory makes the garbage collector run more often near the memory limit of the container.
// Otherwise the container is killed although much of its memory is garbage. GOMEMLIMIT overrides
// it.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit := containerMemory(os.DirFS("/")); limit > 0 {
		debug.SetMemoryLimit(limit / 100 * memoryShare)
	}
}

// memoryShare is the percentage of the container's memory that the Go runtime may use. The runtime
// does not count SQLite's pages, the binary, and the kernel's buffers of connections.
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
