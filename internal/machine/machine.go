// Package machine says what a benchmark has to say of the machine: its processor, and
// the time and memory that processes took, as Linux has them. Elsewhere they are
// unknown, and said to be. It is no monitoring: nothing is asked twice for an average.
package machine

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is Linux's unit of a process's times, in seconds: USER_HZ is 100 on all
// that Go runs on.
const clockTick = 10 * time.Millisecond

// Spent is the time of processors that a process and its children spent, as
// /proc has it (proc_pid_stat(5), fields 14 to 17); 0 where there is none.
func Spent(pid int) (all time.Duration) {
	for _, p := range append(children(pid), pid) {
		f := stat(p)
		for i := 11; i < 15 && len(f) > 15; i++ { // from the third field on, the state, which is f[0]
			n, _ := strconv.ParseInt(f[i], 10, 64)
			all += time.Duration(n) * clockTick
		}
	}
	return all
}

// stat is a process's fields behind its name, which may hold anything.
func stat(pid int) []string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.Fields(rest)
}

func children(pid int) (out []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		p, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		if f := stat(p); len(f) > 1 && f[1] == strconv.Itoa(pid) {
			out = append(out, p)
		}
	}
	return out
}

// Self is the time of processors that this process spent.
func Self() time.Duration {
	u := used()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Peak is the most memory, in bytes, that this process had at once.
func Peak() int64 { return used().Maxrss << 10 }

func used() (u syscall.Rusage) {
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return syscall.Rusage{}
	}
	return u
}

// CPU is what the machine calls its processor, or its architecture.
func CPU() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return runtime.GOARCH
}
