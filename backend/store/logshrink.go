package store

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"telltale/backend/job"
)

// shrink removes whole logs, those of the oldest day first, until all together
// take at most total bytes on disk. Logs of jobs that are spared stay.
func (l *logs) shrink(ctx context.Context, total int64, spared func(rawID) bool) error {
	d, ok := l.files.(*diskFiles)
	if !ok {
		return nil
	}
	days, sum, err := d.usage()
	if err != nil {
		return fmt.Errorf("size of logs: %w", err)
	}
	for _, day := range days {
		if sum <= total {
			return nil
		}
		files, err := os.ReadDir(d.path(day))
		if err != nil {
			return fmt.Errorf("list logs: %w", err)
		}
		for _, f := range files {
			name, _, _ := strings.Cut(f.Name(), ".")
			id, err := parseID(job.ID(name))
			if err != nil || spared(id) || sum <= total {
				continue
			}
			if info, err := f.Info(); err == nil {
				sum -= info.Size()
			}
			if err := l.remove(id); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// usage is the days that have logs, oldest first, and the bytes of all. What a
// day takes is remembered until something in it changes: there may be a million
// files, and nearly all of them are of days gone by.
func (d *diskFiles) usage() (days []string, sum int64, err error) {
	entries, err := os.ReadDir(d.root)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		size, err := d.daySize(e.Name())
		if err != nil {
			return nil, 0, err
		}
		days = append(days, e.Name())
		sum += size
	}
	slices.Sort(days)
	return days, sum, nil
}

func (d *diskFiles) daySize(day string) (int64, error) {
	d.mu.Lock()
	size, known := d.sizes[day]
	if !known {
		d.sizes[day] = -1 // being counted; a change meanwhile removes it
	}
	d.mu.Unlock()
	if known && size >= 0 {
		return size, nil
	}
	files, err := os.ReadDir(filepath.Join(d.root, day))
	if err != nil {
		return 0, err
	}
	size = 0
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			size += info.Size()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, same := d.sizes[day]; same {
		d.sizes[day] = size
	}
	return size, nil
}

// changed forgets what the day of a file takes.
func (d *diskFiles) changed(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sizes, path.Dir(name))
}
