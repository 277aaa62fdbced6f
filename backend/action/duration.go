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

// seconds writes a number of seconds as a duration of the file.
func seconds(n float64) string {
	if d := time.Duration(n * float64(time.Second)); d%(24*time.Hour) == 0 && d > 0 {
		return number(d.Hours()/24) + "d"
	}
	return strings.TrimSuffix(strings.TrimSuffix(time.Duration(n*float64(time.Second)).String(), "0s"), "0m")
}
