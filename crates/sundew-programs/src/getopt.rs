//! Options of command lines: getopt_long(3), with its words.
