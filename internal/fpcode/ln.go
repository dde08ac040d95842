package fpcode

import "math/bits"

// lnUnit is the resolution of lnFixed: 2⁻⁵⁶ nat.
const lnUnit = 56

// ln 2 in units of 2⁻⁶⁴.
const ln2Frac = 0xb17217f7d1cf79ab

// lnFixed is the natural logarithm of hi·2⁶⁴ + lo, which must not be zero, in
// units of 2⁻⁵⁶ nat and good to a few of them. It is made of integers only:
//
//	ln(m·2ᵉ) = e·ln 2 + 2·artanh z,  z = (m-1)/(m+1) ∈ [0, ⅓),  m ∈ [1, 2)
//
// with artanh z = z + z³/3 + z⁵/5 + … (Abramowitz and Stegun 4.6.33). Numbers
// that differ only by a power of two differ by exactly that many ln 2.
func lnFixed(hi, lo uint64) int64 {
	e := 63
	if hi != 0 {
		n := bits.LeadingZeros64(hi)
		lo = hi<<n | lo>>(64-n)
		e = 127 - n
	} else {
		n := bits.LeadingZeros64(lo)
		lo <<= n
		e -= n
	}
	// lo is m in units of 2⁻⁶³. z in units of 2⁻⁶⁴; (m+1) is halved so as to
	// fit, and so is (m-1).
	z, _ := bits.Div64((lo-1<<63)>>1, (lo-1<<63)<<63, 1<<62+lo>>1)
	zz, _ := bits.Mul64(z, z)
	sum, power := uint64(0), z
	for k := uint64(1); power != 0; k += 2 {
		sum += power / k
		power, _ = bits.Mul64(power, zz)
	}
	// 2·artanh in units of 2⁻⁵⁶, and e·ln 2 likewise.
	h, l := bits.Mul64(uint64(e), ln2Frac)
	return int64(h<<lnUnit|l>>(64-lnUnit)) + int64(sum>>(63-lnUnit))
}
