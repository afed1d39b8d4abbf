package postgres

// BeginWriting is how a transaction that writes begins.
var BeginWriting = beginWriting
