//go:build linux && (amd64 || arm64)

package apart

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Held says what holds a process apart to its bounds, and Confined whether anything
// but its own good will does.
const (
	Held     = "the kernel, by seccomp and limits"
	Confined = true
)

// allowed are the system calls of a Go program that computes: memory, threads of its
// own, waiting, and the pipes that it has. Whatever isn't here is refused: files,
// sockets, processes, signals to others.
var allowed = []uint32{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_FCNTL,
	unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MADVISE, unix.SYS_MPROTECT, unix.SYS_MINCORE, unix.SYS_BRK,
	unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_GETTIMEOFDAY,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_SCHED_GETAFFINITY, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_GETRANDOM,
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
}

// confine bounds this process for good, all its threads: seccomp(2), setrlimit(2),
// prctl(2).
func confine(memory, seconds uint64) error {
	for _, l := range []struct {
		what int
		most uint64
	}{
		{unix.RLIMIT_DATA, memory}, {unix.RLIMIT_CPU, seconds}, {unix.RLIMIT_FSIZE, 0}, {unix.RLIMIT_CORE, 0}, {unix.RLIMIT_NOFILE, 16},
	} {
		if err := unix.Setrlimit(l.what, &unix.Rlimit{Cur: l.most, Max: l.most}); err != nil {
			return fmt.Errorf("setrlimit: %w", err)
		}
	}
	runtime.LockOSThread() // what comes is of this thread, and goes from it to the others
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	program := filter()
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&p))); errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

// filter is the program that the kernel asks of every call: bpf of seccomp(2), over
// struct seccomp_data. The numbers of a call and of its architecture come first; its
// arguments are 64 bits each from byte 16 on, the low half first.
func filter() (f []unix.SockFilter) {
	const (
		nr, arch = 0, 4
		arg0     = 16
		load     = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal    = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		least    = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		someOf   = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		give     = unix.BPF_RET | unix.BPF_K
		x32      = 0x40000000 // numbers of another ABI on amd64
	)
	op := func(code uint16, k uint32, yes, no uint8) {
		f = append(f, unix.SockFilter{Code: code, Jt: yes, Jf: no, K: k})
	}
	no := uint32(unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM))
	op(load, arch, 0, 0)
	op(equal, native, 1, 0)
	op(give, unix.SECCOMP_RET_KILL_PROCESS, 0, 0)
	op(load, nr, 0, 0)
	op(least, x32, 0, 1)
	op(give, no, 0, 0)
	for _, n := range allowed {
		op(equal, n, 0, 1)
		op(give, unix.SECCOMP_RET_ALLOW, 0, 0)
	}
	// The C library asks for clone3, whose flags no filter sees, and without it for clone.
	op(equal, unix.SYS_CLONE3, 0, 1)
	op(give, unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS), 0, 0)
	// A thread of its own is started, and no process; itself is signalled, and nobody.
	op(equal, unix.SYS_CLONE, 0, 4)
	op(load, arg0, 0, 0)
	op(someOf, unix.CLONE_THREAD, 0, 1)
	op(give, unix.SECCOMP_RET_ALLOW, 0, 0)
	op(give, no, 0, 0)
	op(equal, unix.SYS_TGKILL, 0, 3)
	op(load, arg0, 0, 0)
	op(equal, uint32(os.Getpid()), 0, 1)
	op(give, unix.SECCOMP_RET_ALLOW, 0, 0)
	op(give, no, 0, 0)
	return f
}
