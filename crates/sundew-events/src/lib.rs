//! The closed catalogue of events and their JSON.
