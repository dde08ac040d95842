#include "textflag.h"

// MASK gives in out the bytes of text that are not of the set; it spoils Y7 and Y8.
// A shuffle looks each byte up by its low half, and gives nothing for a byte above
// 127; another by its high half. What both have in common says whether it is of the set.
#define MASK(text, out) \
	VPSHUFB   text, Y0, Y7; \
	VPSRLW    $4, text, Y8; \
	VPAND     Y2, Y8, Y8; \
	VPSHUFB   Y8, Y1, Y8; \
	VPAND     Y7, Y8, Y7; \
	VPCMPEQB  Y3, Y7, Y7; \
	VPMOVMSKB Y7, out

// func masks(out *uint64, text *byte, n int, table *[32]byte) (beyond uint64)
TEXT ·masks(SB), NOSPLIT, $0-40
	MOVQ out+0(FP), DI
	MOVQ text+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ table+24(FP), R11
	VBROADCASTI128 (R11), Y0   // by the low half
	VBROADCASTI128 16(R11), Y1 // by the high half
	MOVQ $0x0f0f0f0f0f0f0f0f, AX
	VMOVQ AX, X2
	VPBROADCASTQ X2, Y2
	VPXOR Y3, Y3, Y3
	XORL BX, BX // beyond
	MOVL $1, R8 // this block's bit in it

next:
	VMOVDQU (SI), Y5
	VMOVDQU 32(SI), Y6
	MASK(Y5, AX)
	MASK(Y6, DX)
	SHLQ    $32, DX
	ORQ     DX, AX
	NOTQ    AX
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
	MOVQ BX, beyond+32(FP)
	RET
