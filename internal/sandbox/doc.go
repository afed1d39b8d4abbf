// Package sandbox is a carrier to develop and test against: it speaks the
// uControl REST API over real HTTP, takes port-in orders, lets their status
// move on a clock, and fails on demand in every way that a carrier, a proxy or a
// network can.
//
// It promises four things.
//
//   - It knows the carrier's contract from the carrier alone. The schemas of the
//     embedded specification are interpreted, never copied into structs, and the
//     package imports nothing of this module: a stand-in that shared the client's
//     types would agree with the client's mistakes.
//   - It is stricter than the carrier. The carrier drops a member that it does
//     not know and a misspelt name loses data without an error; here that order is
//     refused, with an Exception that names the member.
//   - It is never more convenient than the carrier. The same order posted twice is
//     two tickets, and what nobody knows of the carrier is a switch (Unknowns)
//     that a test suite runs through in every position (AllUnknowns).
//   - It remembers what reached it: every request, its body within bounds, how
//     many orders each number was in, and which tickets were made.
//
// It refuses to be more than a stand-in: nothing is kept on disk, nothing is
// logged, tickets and counters grow until Reset, and whoever reaches the control
// paths under /_sandbox/ reads order bodies without a password. It belongs on
// the loopback interface.
//
// A GET of /_sandbox/ lists every outcome, scenario, switch and catalogue id.
package sandbox
