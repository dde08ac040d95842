// Package herd measures what happens when a wave opens to very many members who
// poll: whether each gets its copy, none early, none lost, and what others wait
// meanwhile.
//
//	found a programme (town) ─► serve it, as a process of its own ─► members poll over TLS
//	      ─► the wave opens ─► each fetches, verifies, opens ─► the log is read: who fetched what
//
// The members are simulated in this process, each with a connection, a token and
// keys of its own; the desk is the real binary. Both share the machine, so the
// time that processors spent is given for each apart. With kills, the desk is
// killed without warning and started again while the herd comes. With notices, each
// member comes once the desk's mail to it arrived, and the mail server outlives kills.
// With steps, the desk's clocks are set, it starts on wrong ones, and its machine
// sleeps over the opening; until then some ask for the wave's files all the while, and
// every answer to one question must be the same.
//
// Not for measuring a network: everything goes over loopback.
package herd
