package action

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseDuration reads whole numbers with units from milliseconds to weeks.
func parseDuration(text string) (time.Duration, error) {
	units := map[string]time.Duration{
		"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
	}
	var total time.Duration
	for rest := text; rest != "" || text == ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		letters := digits
		for letters < len(rest) && rest[letters] >= 'a' && rest[letters] <= 'z' {
			letters++
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 32)
		unit, known := units[rest[digits:letters]]
		if err != nil || !known {
			return 0, fmt.Errorf("duration %q: a number and a unit are needed", clip(text, 40))
		}
		if total += time.Duration(n) * unit; total < 0 || total > 100*365*24*time.Hour {
			return 0, fmt.Errorf("duration %q: too long", clip(text, 40))
		}
		rest = rest[letters:]
	}
	return total, nil
}

// seconds writes a number of seconds as a duration of the file, in its largest
// whole unit.
func seconds(n float64) string {
	d := time.Duration(n * float64(time.Second))
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if d%unit.size == 0 && (d > 0 || unit.name == "s") {
			return strconv.FormatInt(int64(d/unit.size), 10) + unit.name
		}
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}
