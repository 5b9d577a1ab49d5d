//! The only way out: every connection an attacker asks for is checked here.
