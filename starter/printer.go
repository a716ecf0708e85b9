package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// streams are what the program reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// A printer is the one way to the screen: data goes to standard output,
// everything said to people goes to standard error. On a terminal it keeps a
// block of lines at the bottom, above which notes scroll. It is safe for
// concurrent use.
type printer struct {
	mu   sync.Mutex
	out  io.Writer
	err  io.Writer // takes away the colours that the terminal or NO_COLOR does not want
	live bool      // standard error is a terminal on which a block can stand
	json bool      // the command promised JSON, so errors are JSON too

	size  func() (width, height int) // of the terminal; zeros when unknown
	block []string                   // the lines that stand on the screen now
}

// newPrinter returns a printer for s. A terminal that cannot move its cursor
// gets plain lines, as a file does.
func newPrinter(s streams) *printer {
	p := &printer{out: s.out, err: s.err, size: func() (int, int) { return 0, 0 }}
	f, ok := s.err.(*os.File)
	if !ok || !term.IsTerminal(f.Fd()) {
		return p
	}
	w := colorprofile.NewWriter(f, os.Environ())
	p.err, p.live = w, w.Profile > colorprofile.NoTTY
	p.size = func() (int, int) {
		width, height, err := term.GetSize(f.Fd())
		if err != nil {
			return 0, 0
		}
		return width, height
	}
	return p
}

// say writes a note for people, one line, above the block.
func (p *printer) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.err, "%s%s\n", p.erased(), fmt.Sprintf(format, args...))
	p.draw(p.block, "")
}

// Write lets log lines pass as notes do.
func (p *printer) Write(b []byte) (int, error) {
	p.say("%s", strings.TrimSuffix(string(b), "\n"))
	return len(b), nil
}

// data writes text to standard output as it is.
func (p *printer) data(text string) error {
	_, err := io.WriteString(p.out, text)
	return err
}

// object writes v to standard output as one JSON object on one line.
func (p *printer) object(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// complain writes an error: one line for people, or one object where JSON was
// asked for.
func (p *printer) complain(text string, code int) {
	if !p.json {
		p.say("starter: %s", text)
		return
	}
	line, err := json.Marshal(struct {
		Error string `json:"error"`
		Exit  int    `json:"exit"`
	}{text, code})
	if err == nil {
		p.say("%s", line)
	}
}

// paint makes lines the block. Each is cut to the terminal's width, and those
// that do not fit its height are left out.
func (p *printer) paint(lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	width, height := p.size()
	if height > 1 && len(lines) > height-1 {
		lines = lines[:height-1]
	}
	cut := make([]string, len(lines))
	for i, line := range lines {
		cut[i] = line
		if width > 1 {
			cut[i] = ansi.Truncate(line, width-1, "…")
		}
	}
	p.draw(cut, p.up())
}

// wipe takes the block off the screen.
func (p *printer) wipe() {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprint(p.err, p.erased())
	p.block = nil
}

// draw writes the block in one piece, between the marks that make a terminal
// show it at once: half-drawn frames are what flickers.
func (p *printer) draw(lines []string, before string) {
	if len(lines) == 0 && before == "" {
		return
	}
	var b strings.Builder
	b.WriteString("\x1b[?2026h" + before)
	for _, line := range lines {
		b.WriteString(line + "\x1b[K\n")
	}
	b.WriteString("\x1b[J\x1b[?2026l")
	fmt.Fprint(p.err, b.String())
	p.block = slices.Clone(lines)
}

// up moves the cursor to the first line of the block.
func (p *printer) up() string {
	if len(p.block) == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r", len(p.block))
}

func (p *printer) erased() string {
	if len(p.block) == 0 {
		return ""
	}
	return p.up() + "\x1b[J"
}
