#include "textflag.h"

// A range is told by one subtraction and one comparison: x-low is at most high-low,
// as bytes without a sign, if it is the lesser of the two.

#define BROADCAST(value, x, y) \
	MOVQ $value, AX; VMOVQ AX, x; VPBROADCASTQ x, y

// WORDS gives in out the mask of the 32 bytes in text; it spoils Y7 to Y10.
#define WORDS(text, out) \
	VPOR    Y0, text, Y7; \ // upper case is lower case
	VPSUBB  Y1, Y7, Y7; \
	VPMINUB Y2, Y7, Y8; \
	VPCMPEQB Y8, Y7, Y7; \
	VPSUBB  Y3, text, Y9; \
	VPMINUB Y4, Y9, Y10; \
	VPCMPEQB Y10, Y9, Y9; \
	VPOR    Y9, Y7, Y7; \
	VPMOVMSKB Y7, out

// func words(masks *uint64, text *byte, n int) (beyond uint64)
TEXT ·words(SB), NOSPLIT, $0-32
	MOVQ masks+0(FP), DI
	MOVQ text+8(FP), SI
	MOVQ n+16(FP), CX
	BROADCAST(0x2020202020202020, X0, Y0)
	BROADCAST(0x6161616161616161, X1, Y1) // 'a'
	BROADCAST(0x1919191919191919, X2, Y2) // 'z' - 'a'
	BROADCAST(0x3030303030303030, X3, Y3) // '0'
	BROADCAST(0x0909090909090909, X4, Y4) // '9' - '0'
	XORL BX, BX // beyond
	MOVL $1, R8 // this block's bit in it

next:
	VMOVDQU (SI), Y5
	VMOVDQU 32(SI), Y6
	WORDS(Y5, AX)
	WORDS(Y6, DX)
	SHLQ    $32, DX
	ORQ     DX, AX
	MOVQ    AX, (DI)
	VPOR    Y5, Y6, Y5
	VPMOVMSKB Y5, R9 // the high bits
	XORL    R10, R10
	TESTL   R9, R9
	CMOVQNE R8, R10
	ORQ     R10, BX
	ADDQ    R8, R8
	ADDQ    $64, SI
	ADDQ    $8, DI
	DECQ    CX
	JNZ     next

	VZEROUPPER
	MOVQ BX, beyond+24(FP)
	RET
