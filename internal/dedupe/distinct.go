package dedupe

import "sluice/internal/crm"

// distinct holds the keys of one batch without their repeats, in address
// order within each entity. Entities share one list: their keys never meet.
type distinct struct {
	keys []crm.Key
	at   map[crm.Key]int // place in keys
}

func distinctKeys(k *crm.BatchKeys) *distinct {
	n := len(k.Of[crm.Customer]) + len(k.Of[crm.Contact]) + len(k.Of[crm.Note])
	d := &distinct{make([]crm.Key, 0, n), make(map[crm.Key]int, n)}
	for _, of := range k.Of {
		for _, key := range of {
			if _, ok := d.at[key]; !ok {
				d.at[key] = len(d.keys)
				d.keys = append(d.keys, key)
			}
		}
	}
	return d
}

// outcomes gives the verdict, when won says for each distinct key whether no
// earlier batch has it: the first record that presents it is the one to write.
func (d *distinct) outcomes(k *crm.BatchKeys, won []bool) crm.Outcomes {
	var o crm.Outcomes
	first := 0 // place of the next key not met before
	for e, of := range k.Of {
		o[e] = make([]crm.Outcome, len(of))
		for i, key := range of {
			o[e][i] = crm.Duplicate
			if at := d.at[key]; at == first {
				first++
				if won[at] {
					o[e][i] = crm.ToWrite
				}
			}
		}
	}
	return o
}
