//! Where events go: one sink per module, bounded queues between.
