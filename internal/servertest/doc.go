// Package servertest runs real servers for tests: PostgreSQL, MariaDB and Redis,
// from the binaries of this machine, on the loopback interface and free ports.
//
// A server ends with the test binary, however that ends. Each runs under a
// small shell that holds the other end of a pipe: when the pipe closes, be it
// by [Main], a panic or a kill, the shell stops the server and removes its
// directory. No test needs to clean up; a package that uses a database should
// call [Main] so that the server has ended when the package's tests have.
//
//	func TestMain(m *testing.M) { servertest.Main(m) }
//
// Programs that measure start the same servers with [StartPostgres] and
// [StartRedis], and stop them.
//
// Where the binaries are missing, tests are skipped and say what to install.
// When the variable CI is set they fail instead.
package servertest
