//go:build !(linux && (amd64 || arm64))

package feed

import (
	"net"

	"telltale/backend/job"
)

// fleet is empty where shards are not written for: couriers carry every stream.
type fleet struct{}

func (*fleet) take(*Hub, *Stream, net.Conn) bool { return false }
func (*fleet) post(delivery, string)             {}
func (*fleet) logs(job.ID) bool                  { return false }
func (*fleet) forget(*Stream)                    {}
func (*fleet) stop()                             {}
