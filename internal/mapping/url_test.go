package mapping

import (
	"strings"
	"testing"

	"sluice/internal/crm"
)

var urlCells = []cellTest{
	{in: "https://example.com", want: "https://example.com"}, {in: "Example.COM/Path?q=A#F", want: "https://example.com/Path?q=A#F"}, {in: "www.x.de", want: "https://www.x.de"},
	{in: "HTTP://www.X.de:8080/", want: "http://www.x.de:8080/"}, {in: "x.com:443", want: "https://x.com:443"}, {in: "Bücher.de/Ü", want: "https://bücher.de/Ü"},
	{in: "bu\u0308cher.de", want: "https://bücher.de"}, {in: "xn--bcher-kva.de", want: "https://xn--bcher-kva.de"}, {in: "пример.рф", want: "https://пример.рф"},
	{in: "10.0.0.1/x", want: "https://10.0.0.1/x"}, {in: "x.com/?u=http://y", want: "https://x.com/?u=http://y"}, {in: "x.com.", want: "https://x.com"}, {in: "http://x.com./a", want: "http://x.com/a"},
	{in: "https://user.github.io/~a/b%20c", want: "https://user.github.io/~a/b%20c"}, {in: "x.com?a=b", want: "https://x.com?a=b"}, {in: "x.com/a@b", want: "https://x.com/a@b"},
}

var badURLs = reject(crm.ReasonBadURL,
	"example", "http://", "https://x", "ana@x.com", "https://u:p@x.com", "ftp://x.com", "javascript:alert(1)", "javascript://x.com/%0aalert(1)", "JavaScript:x.com", "data:text/html,x", "file:///etc/passwd", "http:x.com", "mailto:a@x.com",
	"x .com", "a.com b.com", "a.com, b.com", "a.com;b.com", "http://x.com:port", "http://x.com:", "http://x.com:123456", "-", "n/a", "http:///x.com", "http://[::1]/", "x.com/<b>", `x.com\a`, "\xff.com", "x\x00.com",
	"//x.com", "a..b.com", ".com", "x.com..", "-x.com", "x.c", "x.123", "1.2.3", "x_y.com", "@x", strings.Repeat("x", 3000)+".com", "x.com/"+strings.Repeat("a", 2048), "x。com")

func TestURL(t *testing.T) {
	t.Parallel()
	checkType(t, urlType, reading{}, urlCells)
	checkType(t, urlType, reading{}, badURLs)
}
