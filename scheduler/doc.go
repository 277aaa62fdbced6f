// Package scheduler is the clock's way in: it will start actions at their due
// times by calling the engine's Submit, as every other way in does, with the
// planned time as the idempotency key, so that a due time is one job however
// often it is tried and on how many machines. It holds no code yet; the clock
// comes with an issue of its own, and until then nothing in Telltale starts by
// itself. The folder stands here because the laws in house_test.go give it its
// floor: above the engine, below the API.
package scheduler
