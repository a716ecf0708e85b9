package mapping

import (
	"regexp/syntax"
	"slices"
)

// A digitSet is a set of texts of digits, given by a regular expression and
// asked a digit at a time: the expressions of telephone numbers are long
// alternatives, over which package regexp takes microseconds. The zero value
// and nil are empty. It is safe for concurrent use.
type digitSet struct {
	next  [][10]int16 // by state and digit; 0 is the state that nothing leaves
	final []bool
}

// newDigitSet returns the texts that the whole of pattern matches. ok is false
// for a pattern that says more than which digits follow which.
func newDigitSet(pattern string) (set *digitSet, ok bool) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, false
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, false
	}
	set = &digitSet{next: make([][10]int16, 1), final: make([]bool, 1)}
	states := [][]uint32{nil}
	names := map[string]int16{"": 0}
	enter := func(from []uint32) (int16, bool) {
		state, final, ok := reached(prog, from)
		if !ok || len(states) > 1<<14 {
			return 0, false
		}
		name := stateName(state, final)
		id, known := names[name]
		if !known {
			id = int16(len(states))
			names[name] = id
			states = append(states, state)
			set.next, set.final = append(set.next, [10]int16{}), append(set.final, final)
		}
		return id, true
	}
	if _, ok := enter([]uint32{uint32(prog.Start)}); !ok {
		return nil, false
	}
	for i := 1; i < len(states); i++ {
		for d := range 10 {
			var to []uint32
			for _, pc := range states[i] {
				if prog.Inst[pc].MatchRune('0' + rune(d)) {
					to = append(to, prog.Inst[pc].Out)
				}
			}
			if set.next[i][d], ok = enter(to); !ok {
				return nil, false
			}
		}
	}
	return set, true
}

// reached returns the instructions that take a digit and can be reached from
// some without one, in order, and whether the end can.
func reached(prog *syntax.Prog, from []uint32) (state []uint32, final, ok bool) {
	seen := make(map[uint32]bool)
	for rest := slices.Clone(from); len(rest) > 0; {
		pc := rest[len(rest)-1]
		rest = rest[:len(rest)-1]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		switch inst := &prog.Inst[pc]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			rest = append(rest, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			rest = append(rest, inst.Out)
		case syntax.InstMatch:
			final = true
		case syntax.InstFail:
		case syntax.InstEmptyWidth:
			return nil, false, false
		default:
			state = append(state, pc)
		}
	}
	slices.Sort(state)
	return state, final, true
}

func stateName(state []uint32, final bool) string {
	if len(state) == 0 && !final {
		return ""
	}
	name := []rune{'-'}
	if final {
		name[0] = '+'
	}
	for _, pc := range state {
		name = append(name, rune(pc))
	}
	return string(name)
}

// has reports whether digits are in the set.
func (s *digitSet) has(digits []byte) bool {
	if s == nil || len(s.next) < 2 {
		return false
	}
	state := int16(1)
	for _, c := range digits {
		if state = s.next[state][c-'0']; state == 0 {
			return false
		}
	}
	return s.final[state]
}

// begins reports whether digits begin with a text of the set.
func (s *digitSet) begins(digits []byte) bool {
	if s == nil || len(s.next) < 2 {
		return false
	}
	state := int16(1)
	for _, c := range digits {
		if s.final[state] {
			return true
		}
		if state = s.next[state][c-'0']; state == 0 {
			return false
		}
	}
	return s.final[state]
}
