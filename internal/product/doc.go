// Package product translates a port-in order into the carrier's call for what the numbers become: ten kinds of target,
// each with a path, a body and rules of its own.
//
// It promises that an order is either wholly understood or refused with every violation named, that nothing the caller
// set is dropped on the way to the wire (a set 0, false or "" is sent, an absent field is not), that every number to
// port stands in the call exactly as the carrier wants it, and that no text of its own quotes a value of the order. It
// refuses to know a clock, a network or a store: the time is an argument, look-ups are answered as References for others
// to check, and the call is a value for others to send.
//
// An order passes CheckSize, Normalize, Validate and Review in that order, and then CarrierCall.
package product
