package embedded

import (
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// expiryTick is how often keys are aged. Our times to live are hours.
const expiryTick = time.Second

// A Redis is a Redis server inside this process, on the loopback interface.
//
// It is good for what one machine imports: a key takes about 270 bytes of our
// memory, so ten million rows take 2.7 GB, and it is gone when the process is.
// The imports then in flight build their keys again.
type Redis struct {
	Addr string // host:port

	server *miniredis.Miniredis
	stop   chan struct{}
	done   chan struct{}
}

// StartRedis starts an empty server on a free port. The caller closes it.
func StartRedis() (*Redis, error) {
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start redis: %w", err)
	}
	r := &Redis{Addr: server.Addr(), server: server, stop: make(chan struct{}), done: make(chan struct{})}
	go r.age()
	return r, nil
}

// age passes the time on to the server, whose own clock for expiry stands still
// unless it is told.
func (r *Redis) age() {
	defer close(r.done)
	tick := time.NewTicker(expiryTick)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-r.stop:
			return
		case now := <-tick.C:
			r.server.FastForward(now.Sub(last))
			last = now
		}
	}
}

// Close ends the server and forgets its keys. It is called once.
func (r *Redis) Close() {
	close(r.stop)
	<-r.done
	r.server.Close()
}
