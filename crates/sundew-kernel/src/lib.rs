//! A small Unix: processes, descriptors, pipes, signals, terminals, budgets.
