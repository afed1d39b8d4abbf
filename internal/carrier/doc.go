// Package carrier is the client of the carrier's REST API (uControl): an order goes in as a Call and comes out as an
// Outcome; look-ups answer in our own names.
//
// It promises that a POST is sent at most once whatever happens, that every answer is read within bounds of time and
// size, and that no credential or body reaches a log, an error or a trace. It refuses to know what an order means: the
// product package writes the body, the intake package decides what an outcome does to an order.
//
// Read it in this order: Client.exchange is the one place that talks to the carrier and never fails; witness can swear
// that nothing was written; the table submissions says what an answer does to an order, inquiries what it does to a
// look-up; gate is the breaker before submissions. An answer is judged by what it says in the carrier's schema, to the
// letter, because both mistakes are expensive: an order wrongly taken for accepted is lost, one wrongly taken for refused
// is placed twice. Whatever is not understood is in doubt.
package carrier
