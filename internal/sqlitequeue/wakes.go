package sqlitequeue

import "sync"

// wakes notifies the receivers of this process that a queue has changed, by its number. Receivers
// of other processes poll.
type wakes struct {
	mu      sync.Mutex
	waiting map[int64]chan struct{}
}

// next returns a channel that is closed at the next change of the queue.
func (w *wakes) next(queue int64) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting == nil {
		w.waiting = make(map[int64]chan struct{})
	}
	if w.waiting[queue] == nil {
		w.waiting[queue] = make(chan struct{})
	}
	return w.waiting[queue]
}

func (w *wakes) changed(queue int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if waiting := w.waiting[queue]; waiting != nil {
		close(waiting)
		delete(w.waiting, queue)
	}
}
