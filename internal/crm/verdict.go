package crm

import (
	"bytes"
	"encoding/json"
	"errors"
)

// A BatchVerdict is what Dedupe leaves of a batch: the outcomes of its keys.
type BatchVerdict struct {
	Keys     Object   // the [BatchKeys] that it is about; zero when the batch has none
	Outcomes Outcomes // [Duplicate] for a record that repeats an earlier one, [ToWrite] for the others
}

// Encode returns v as text: the keys as JSON, then for each entity a line with
// a letter for each record.
func (v *BatchVerdict) Encode() []byte {
	out, _ := json.Marshal(v.Keys) // it holds nothing that JSON does not
	for _, of := range v.Outcomes {
		out = append(out, '\n')
		for _, o := range of {
			out = append(out, byte(o))
		}
	}
	return append(out, '\n')
}

var errBatchVerdict = errors.New("verdict: damaged")

// DecodeBatchVerdict reads what Encode wrote. Anything else is damage, and an
// error.
func DecodeBatchVerdict(b []byte) (*BatchVerdict, error) {
	lines := bytes.Split(b, []byte{'\n'})
	v := &BatchVerdict{}
	if len(lines) != 2+len(v.Outcomes) || len(lines[len(lines)-1]) > 0 || json.Unmarshal(lines[0], &v.Keys) != nil {
		return nil, errBatchVerdict
	}
	for e := range v.Outcomes {
		v.Outcomes[e] = make([]Outcome, len(lines[1+e]))
		for i, letter := range lines[1+e] {
			v.Outcomes[e][i] = Outcome(letter)
		}
	}
	return v, nil
}
