package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"telltale/backend/job"
)

// The keys of the database. Ids are 16 bytes, numbers big-endian, so that the
// order of keys is the order of time.
//
//	j/<id>            a final job: seq, key, JSON
//	l/<id>            a live job: seq of its newest event, or that event itself
//	e/<last seq>      events of one transaction up to that number
//	k/<hash of name>  idempotency key: the job and how it looked when accepted
//	a/<action>0<id>   index by action; likewise t/ target, s/ state, b/ who
//	c/<action>        number of final jobs of an action
//	m/store, m/state  identity; counters, written with every transaction
const (
	prefixJob    = "j/"
	prefixLive   = "l/"
	prefixEvents = "e/"
	prefixKey    = "k/"
	prefixAction = "a/"
	prefixTarget = "t/"
	prefixState  = "s/"
	prefixBy     = "b/"
	prefixCount  = "c/"
	keyStore     = "m/store"
	keyState     = "m/state"
)

// rawID is a job id as it stands in keys.
type rawID [16]byte

// parseID checks an id and makes it a key.
func parseID(id job.ID) (rawID, error) {
	if _, err := job.ParseID(string(id)); err != nil {
		return rawID{}, err
	}
	var r rawID
	s := string(id)
	_, err := hex.Decode(r[:], []byte(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:]))
	return r, err
}

func (r rawID) id() job.ID {
	h := hex.EncodeToString(r[:])
	return job.ID(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}

func idKey(prefix string, r rawID) []byte {
	return append([]byte(prefix), r[:]...)
}

func seqKey(seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(prefixEvents), seq)
}

func keySeq(key []byte) (uint64, bool) {
	if len(key) != len(prefixEvents)+8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[len(prefixEvents):]), true
}

// keyHash is an idempotency key as it stands in the database; the zero value
// means no key.
type keyHash [16]byte

func hashOf(s string) keyHash {
	sum := sha256.Sum256([]byte(s))
	return keyHash(sum[:16])
}

// maxWord is the longest value an index shows as it is; longer ones are hashed,
// which keeps keys short whatever a user is called.
const maxWord = 64

// indexPrefix is what all keys of one value in one index begin with.
func indexPrefix(prefix, value string) []byte {
	if len(value) > maxWord || strings.IndexByte(value, 0) >= 0 {
		h := hashOf(value)
		value = "\x01" + hex.EncodeToString(h[:])
	}
	return append(append([]byte(prefix), value...), 0)
}

func indexKey(prefix, value string, r rawID) []byte {
	return append(indexPrefix(prefix, value), r[:]...)
}

// indexKeys are the index keys of a final job.
func indexKeys(j *job.Job, r rawID) [][]byte {
	return [][]byte{
		indexKey(prefixAction, j.Action, r),
		indexKey(prefixTarget, j.Target, r),
		indexKey(prefixState, string(j.State), r),
		indexKey(prefixBy, j.Trigger.By, r),
	}
}
