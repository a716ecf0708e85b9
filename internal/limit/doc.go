// Package limit keeps requests to somebody else's service within what the
// service allows, for all workers together: an account has one limit, whoever
// asks. It knows nothing of requests.
//
// What is left of a limit is counted in Redis, by Redis's own clock. Losing what
// is counted costs at most a refusal. While Redis cannot be reached nothing may
// be asked: a service that is asked too often may lock its owner out.
//
// A limit adapts: it is halved when the service refuses, and with each request
// that is granted a fiftieth of it comes back.
// Others may ask the same account, and nobody tells us how often.
package limit
