package app

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"strings"
)

// bootName names this life of this process: eight digits for the life of the
// machine, where the kernel tells it (Linux), and eight that were never used
// before. The engine compares the first part to tell a crash from a reboot.
func bootName() string {
	machine := "00000000"
	if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil && len(b) >= 8 {
		machine = strings.TrimSpace(string(b[:8]))
	}
	life := make([]byte, 4)
	_, _ = rand.Read(life) // never fails (crypto/rand)
	return machine + "-" + hex.EncodeToString(life)
}
