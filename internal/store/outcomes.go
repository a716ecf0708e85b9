package store

import (
	"encoding/binary"
	"errors"

	"github.com/klauspost/compress/zstd"

	"sluice/internal/crm"
)

// The ledger keeps a byte for each record of a batch, zstd-compressed: for
// each entity the number of records as a varint, then their outcomes.

var (
	packer, _   = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<17), zstd.WithLowerEncoderMem(true))
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
)

func packOutcomes(o crm.Outcomes) []byte {
	var plain []byte
	for _, of := range o {
		plain = binary.AppendUvarint(plain, uint64(len(of)))
		for _, outcome := range of {
			plain = append(plain, byte(outcome))
		}
	}
	return packer.EncodeAll(plain, nil)
}

var errOutcomes = errors.New("outcomes in the ledger: damaged")

func unpackOutcomes(b []byte) (o crm.Outcomes, err error) {
	plain, err := unpacker.DecodeAll(b, nil)
	if err != nil {
		return o, passing{errOutcomes}
	}
	for e := range o {
		n, w := binary.Uvarint(plain)
		if w <= 0 || n > uint64(len(plain)-w) {
			return o, passing{errOutcomes}
		}
		o[e] = make([]crm.Outcome, n)
		for i, c := range plain[w : w+int(n)] {
			o[e][i] = crm.Outcome(c)
		}
		plain = plain[w+int(n):]
	}
	return o, nil
}
