//! Builds one believable machine from data.
