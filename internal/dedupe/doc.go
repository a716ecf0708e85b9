// Package dedupe says who was first: which records of a batch repeat an
// earlier record of their import. It knows Redis, and nothing of what the keys
// stand for.
//
// An [Index] keeps the claims: which keys the batches so far have presented,
// and what each batch was told. A [Judge] gives the verdicts, and believes the
// index only as far as it can prove itself right (invariant 5). The proof is a
// number. Every batch knows how many distinct keys the batches before it hold;
// an index that has another number has lost something or was given something:
//
//	claim ──▶ size as expected ──────────────────────────▶ verdict
//	  │                                                       ▲
//	  └─ not ─▶ new generation, claim again from batch 0 ─────┤
//	               │                                          │
//	               └─ wrong twice ─▶ compare with the stage ──┘
//
// So a Redis that was emptied, restarted, failed over, restored, short of
// memory or filled by others costs time and never a verdict. One that cannot
// be reached is an error: the step is tried again, and the import waits.
//
// # How claims lie in Redis
//
// A generation is one hash. A key's first bits number the bucket it belongs
// to, a field; the value is the sorted 9-byte members of all keys in it. To
// claim some keys the index reads their buckets, merges the keys into them and
// writes back those that changed, with the new size and the answers, in one
// transaction that fails if anybody else has changed the hash meanwhile:
//
//	WATCH ─▶ size, fields, answer? ─▶ buckets ─▶ MULTI HSET … EXEC
//	  ▲                                                    │
//	  └────────────────── somebody was faster ─────────────┘
//
// There is no script: in Lua a key costs Redis two to three times as much, for
// every string there is copied and hashed, and the embedded server more. When
// buckets hold 64 members on average there come to be twice as many. Each is
// divided when it is next written, so growing interrupts nothing.
//
// # Collisions
//
// Of a key's 128 bits 80 are kept. Two records of an import whose keys agree in
// these are taken for one, and the later is called a duplicate; nothing would
// show it. Keys are hashes under a secret of the import, so that no file can be
// made to collide, and the probability that any two of n do is n²/2⁸¹:
//
//	n               10⁶        10⁷        10⁸       10⁹
//	probability     4·10⁻¹³    4·10⁻¹¹    4·10⁻⁹    4·10⁻⁷
//
// # Cost
//
// Measured with Redis 7.0 on two busy cores of 2.5 GHz, in batches of 48,000
// keys, of which one in twenty was there before:
//
//	keys                   1 million    5 million    25 million
//	used_memory, a key     11.5 bytes   11.7 bytes   11.3 bytes
//	time of Redis, a key   0.4 µs       1.3 µs       2.6 µs
//
// A batch that is claimed again takes 0.04 µs a key. The more keys there are,
// the fewer of a batch share a bucket; in the end each moves one bucket there
// and back, 300 to 600 bytes. The embedded server takes 11.2 bytes of heap and,
// client and all, 2 µs a key at one million. To see these figures again:
//
//	go test -run - -bench Claim -benchtime 1x -large ./internal/dedupe
//
// Claims are dropped when their import ends, or a week after its last batch.
package dedupe
