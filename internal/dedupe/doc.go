// Package dedupe says who was first: which records of a batch repeat an
// earlier record of their import. It knows Redis, and nothing of what the keys
// stand for.
//
// An [Index] keeps the claims: which batch was the first to present a key. A
// [Judge] gives the verdicts, and believes the index only as far as it can
// prove itself right (invariant 5). The proof is a number. Every batch knows
// how many distinct keys the batches before it hold; an index that answers
// with another number has lost something or was given something:
//
//	claim ──▶ size as expected ──────────────────────────▶ verdict
//	  │                                                       ▲
//	  └─ not ─▶ new generation, claim again from batch 0 ─────┤
//	               │                                          │
//	               └─ wrong twice ─▶ compare with the stage ──┘
//
// So a Redis that was emptied, restarted, failed over, short of memory or
// filled by others costs time and never a verdict. One that cannot be reached
// is an error: the step is tried again, and the import waits.
//
// # Memory
//
// A claim takes 80 to 95 bytes of Redis (7.0, measured at one and at five
// million): 0.9 GB for ten million records. Claims are dropped when their
// import ends, or a week after its last batch.
package dedupe
