package equivalence

import "encoding/binary"

// capture writes TCP sessions in pcap (draft-ietf-opsawg-pcap): Ethernet, IPv4
// with addresses of RFC 5737, a session a second. It is for tools that read
// captures, so it has all that they check: handshakes, sequence numbers, sums.
type capture struct {
	out      []byte
	sessions int
}

func newCapture() *capture {
	c := &capture{}
	le := binary.LittleEndian
	c.out = le.AppendUint32(c.out, 0xa1b2c3d4)
	c.out = le.AppendUint16(c.out, 2)
	c.out = le.AppendUint16(c.out, 4)
	c.out = append(c.out, make([]byte, 8)...)
	c.out = le.AppendUint32(c.out, 1<<16) // snaplen
	c.out = le.AppendUint32(c.out, 1)     // Ethernet
	return c
}

func (c *capture) bytes() []byte { return c.out }

const (
	fin = 0x01
	syn = 0x02
	psh = 0x08
	ack = 0x10

	segment = 1400 // bytes of payload in one packet
)

// end is one end of a session.
type end struct {
	ip   [4]byte
	port uint16
	seq  uint32
}

// session adds a request and its reply.
func (c *capture) session(request, reply []byte) {
	n := c.sessions
	c.sessions++
	client := &end{[4]byte{192, 0, 2, byte(1 + n%250)}, uint16(20000 + n), 1000}
	server := &end{[4]byte{198, 51, 100, 7}, 80, 5000}
	at := 0
	send := func(from, to *end, flags byte, data []byte) {
		c.packet(n, at, from, to, flags, data)
		at++
		from.seq += uint32(len(data))
		if flags&(syn|fin) != 0 {
			from.seq++
		}
	}
	stream := func(from, to *end, data []byte) {
		for len(data) > 0 {
			k := min(segment, len(data))
			send(from, to, ack|psh, data[:k])
			send(to, from, ack, nil)
			data = data[k:]
		}
	}
	send(client, server, syn, nil)
	send(server, client, syn|ack, nil)
	send(client, server, ack, nil)
	stream(client, server, request)
	stream(server, client, reply)
	send(client, server, fin|ack, nil)
	send(server, client, fin|ack, nil)
	send(client, server, ack, nil)
}

func (c *capture) packet(session, at int, from, to *end, flags byte, data []byte) {
	be := binary.BigEndian
	var tcp []byte
	tcp = be.AppendUint16(tcp, from.port)
	tcp = be.AppendUint16(tcp, to.port)
	tcp = be.AppendUint32(tcp, from.seq)
	if flags&ack != 0 {
		tcp = be.AppendUint32(tcp, to.seq)
	} else {
		tcp = be.AppendUint32(tcp, 0)
	}
	tcp = append(tcp, 5<<4, flags)
	tcp = be.AppendUint16(tcp, 65535)
	tcp = append(tcp, 0, 0, 0, 0)
	tcp = append(tcp, data...)
	pseudo := append(append([]byte{}, from.ip[:]...), to.ip[:]...)
	pseudo = be.AppendUint16(append(pseudo, 0, 6), uint16(len(tcp)))
	be.PutUint16(tcp[16:], sum(append(pseudo, tcp...)))

	ip := []byte{0x45, 0}
	ip = be.AppendUint16(ip, uint16(20+len(tcp)))
	ip = append(ip, 0, 0, 0x40, 0, 64, 6, 0, 0)
	ip = append(append(ip, from.ip[:]...), to.ip[:]...)
	be.PutUint16(ip[10:], sum(ip))

	frame := append([]byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0}, ip...)
	frame = append(frame, tcp...)
	le := binary.LittleEndian
	c.out = le.AppendUint32(c.out, uint32(1_750_000_000+session))
	c.out = le.AppendUint32(c.out, uint32(1000*at))
	c.out = le.AppendUint32(c.out, uint32(len(frame)))
	c.out = le.AppendUint32(c.out, uint32(len(frame)))
	c.out = append(c.out, frame...)
}

// sum is the internet checksum of RFC 1071.
func sum(b []byte) uint16 {
	var s uint32
	for i := 0; i+1 < len(b); i += 2 {
		s += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		s += uint32(b[len(b)-1]) << 8
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}
