package ascii

import (
	"syscall"
	"testing"
)

// Nothing is read beyond a text's ends, at which memory ends too.
func TestAtTheEndsOfMemory(t *testing.T) {
	page := syscall.Getpagesize()
	all, err := syscall.Mmap(-1, 0, 4*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip(err)
	}
	defer syscall.Munmap(all)
	for _, guard := range [][]byte{all[:page], all[3*page:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Skip(err)
		}
	}
	text := all[page : 3*page]
	for i := range text {
		text[i] = " aZ09\xff/é"[i%9]
	}
	var masks [Most]uint64
	for n := range 5 * Block {
		Words.Masks(masks[:], text[:n])
		Words.Masks(masks[:min(Most, n/Block+1)], text[len(text)-n:])
		check(t, text[len(text)-n:len(text):len(text)])
	}
}
