package store

// Verified waits until the check in the background is done.
func (s *Store) Verified() { <-s.verified }
