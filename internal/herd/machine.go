package herd

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is Linux's unit of a process's times, in seconds: USER_HZ is 100 on all
// that Go runs on.
const clockTick = 0.01

// spent is the seconds of processors that a process and its children spent, as
// /proc has it (proc_pid_stat(5), fields 14 to 17); 0 where there is none.
func spent(pid int) float64 {
	var all float64
	for _, p := range append(children(pid), pid) {
		f := stat(p)
		for i := 11; i < 15 && len(f) > 15; i++ { // from the third field on, the state, which is f[0]
			n, _ := strconv.ParseFloat(f[i], 64)
			all += n * clockTick
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

// selfCPU is the seconds of processors that this process spent.
func selfCPU() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return (time.Duration(u.Utime.Nano()) + time.Duration(u.Stime.Nano())).Seconds()
}

// cpuName is what the machine calls its processor.
func cpuName() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}
