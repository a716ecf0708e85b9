// Package notify tells people how an import ended, by e-mail. It is ignorant
// of when: the outbox says what is to be sent, and a message is sent until
// the server has taken it.
//
// A server may take a message and fail to say so. Then the message is sent
// again, under the same Message-ID, by which receivers can drop the repeat.
package notify
