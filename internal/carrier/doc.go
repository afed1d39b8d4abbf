// Package carrier is the client of the carrier's REST API (uControl): an order goes in as a Call and comes out as an
// Outcome; look-ups answer in our own names.
//
// It promises that a POST is sent at most once whatever happens, that every answer is read within bounds of time and
// size, and that no credential or body reaches a log, an error or a trace. It refuses to know what an order means: the
// product package writes the body, the intake package decides what an outcome does to an order.
package carrier
