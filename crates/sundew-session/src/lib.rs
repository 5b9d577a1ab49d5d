//! Connection, login, machine: who connected, what they may do, what it means.
