package api

import (
	"net"
	"os/user"
	"strconv"
	"sync"

	"github.com/gofiber/fiber/v2"

	"telltale/backend/auth"
)

// principal is who asks: over a Unix socket whoever the system says is at the
// other end, else the user this server was told of.
func (s *Server) principal(c *fiber.Ctx) auth.Principal {
	if conn, unix := c.Context().Conn().(*net.UnixConn); unix {
		if uid, ok := peerUser(conn); ok {
			return auth.Principal{Name: s.users.name(uid)}
		}
	}
	return auth.Principal{Name: s.User}
}

// users remembers the names of users, because looking one up reads files.
type users struct {
	mu    sync.Mutex // guards names
	names map[uint32]string
}

func (u *users) name(uid uint32) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if name, ok := u.names[uid]; ok {
		return name
	}
	number := strconv.FormatUint(uint64(uid), 10)
	name := "uid " + number
	if found, err := user.LookupId(number); err == nil && found.Username != "" {
		name = found.Username
	}
	if u.names == nil || len(u.names) > 1000 {
		u.names = map[uint32]string{}
	}
	u.names[uid] = name
	return name
}
