//go:build unix

package postgres

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// stirred says whether something has come in on a connection on which nothing was asked:
// its end, or the server's last words. To look costs no round trip.
func stirred(c *pgx.Conn) bool {
	under := c.PgConn().Conn()
	if secured, ok := under.(interface{ NetConn() net.Conn }); ok {
		under = secured.NetConn()
	}
	socket, ok := under.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return true
	}
	came := false
	// Control and not Read, which would wait for the driver's own reader, if there is one.
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		came = !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR)
	})
	return came || err != nil
}

var _ interface{ NetConn() net.Conn } = (*tls.Conn)(nil)
