package main

import (
	"io/fs"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
)

// boundMemory bounds the memory of the process, by what it has in use. By Go's default it may have
// as much garbage as it has in use, so that a process that needs a little more takes twice as much
// more. In a container, the collector also works harder before the container's limit is reached,
// where the process would be killed. GOGC and GOMEMLIMIT override this.
func boundMemory() {
	most := int64(math.MaxInt64)
	if container := containerMemory(os.DirFS("/")); container > 0 {
		most = container / 100 * memoryShare
	}
	afterCollections(func(live uint64) {
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(garbagePercent(live))
		}
		if os.Getenv("GOMEMLIMIT") == "" {
			debug.SetMemoryLimit(min(softLimit(live), most))
		}
	})
}

// afterCollections calls adjust with the bytes in use, now and some time after each garbage
// collection: the runtime calls the cleanup of an object without references once the collection has
// found it.
func afterCollections(adjust func(live uint64)) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	adjust(live[0].Value.Uint64())
	runtime.AddCleanup(new([2]uintptr), afterCollections, adjust)
}

const (
	// A process that has less in use may fill up to heapSize bytes before it collects.
	heapSize = 144 << 20
	// leastGarbage is what the commands need to collect seldom.
	leastGarbage = 48 << 20
	// leastLimit is for a process that grows quickly: until the percentage follows, it would let
	// too much garbage arise.
	leastLimit = 192 << 20
)

// garbagePercent returns the garbage that may arise, as a percentage of the live bytes. It has
// bounds: with less than the least, a large process would do nothing but collect; the most keeps
// the bound of a process that has just begun to grow.
func garbagePercent(live uint64) int {
	const least, most = 25, 400
	garbage := max(heapSize-min(live, heapSize), leastGarbage)
	return int(min(max(garbage*100/max(live, 1), least), most))
}

// softLimit returns from how many bytes on the collector works harder. A process that has more than
// half of it in use gets a higher one: it would do nothing but collect.
func softLimit(live uint64) int64 { return int64(min(max(leastLimit, 2*live), math.MaxInt64)) }

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
