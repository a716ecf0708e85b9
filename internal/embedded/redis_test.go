package embedded

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"
)

// ask sends one inline command and returns the first line of the reply.
func ask(t *testing.T, r *bufio.ReadWriter, command string) string {
	t.Helper()
	if _, err := r.WriteString(command + "\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	line, _, err := r.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

func TestRedisForgetsInRealTime(t *testing.T) {
	t.Parallel()
	redis, err := StartRedis()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialTimeout("tcp", redis.Addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	r := bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn))

	for key, seconds := range map[string]int{"short": 1, "long": 3600} {
		if got := ask(t, r, fmt.Sprintf("*5\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$1\r\nv\r\n$2\r\nEX\r\n$%d\r\n%d",
			len(key), key, len(fmt.Sprint(seconds)), seconds)); got != "+OK" {
			t.Fatalf("SET %s = %q", key, got)
		}
	}
	exists := func(key string) bool {
		return ask(t, r, fmt.Sprintf("*2\r\n$6\r\nEXISTS\r\n$%d\r\n%s", len(key), key)) == ":1"
	}
	eventually(t, "the short key is gone", func() bool { return !exists("short") })
	if !exists("long") {
		t.Error("the long key is gone too")
	}

	redis.Close()
	if c, err := net.DialTimeout("tcp", redis.Addr, time.Second); err == nil {
		_ = c.Close()
		t.Error("a closed server still listens")
	}
}
