// Package fakesaas is one server that speaks as billing systems, CRMs and
// spreadsheets on the web do, from a seed: the same seed has the same customers,
// contacts and subscriptions, created and changed at the same times. Tests read
// from it, and people who want to try things out. It is not linked into a worker.
//
// A [World] is what there is: it can be changed while it is read. A [Server]
// shows it as each provider does, on the provider's own paths, with its pages,
// limits, headers and errors. What providers are known to do to those who read
// them is behind switches: see [Traps].
//
// What is shown follows the providers' documentation, which each file names. It
// is kept honest by others' software: see docs/sources.md.
package fakesaas
