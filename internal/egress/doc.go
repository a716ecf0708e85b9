// Package egress is the only way out to addresses that people, settings or
// other systems name: files on the web, the APIs of sources, webhooks, buckets,
// mail servers. It keeps whoever may name an address from reaching what only
// this machine may reach, such as a database beside it or the metadata of a
// cloud. It knows nothing of what is fetched.
//
// What counts is the address that a connection is made to, after the name was
// resolved and for every connection anew, so a name that resolves to another
// address the second time gains nothing. Public addresses are reached by https
// on port 443. Anything else an administrator has to allow: a network, by its
// prefix, and then on any port and by http too; or a port, on any address.
//
// Proxies of the environment are not used: behind one the address that counts
// would be out of sight.
package egress
