//! What a stranger can grow, and how far.

/// Deepest nesting of commands, substitutions, quotes and parentheses together. Scripts stay under
/// 20; bash itself gives up ("memory exhausted") at about 2500 subshells. The bound keeps a debug
/// build within a stack of 2 MiB, both while parsing and while dropping the tree.
pub const MAX_DEPTH: u32 = 200;

/// How many levels of one text may be looked at again: `((` and `$((` that turn out not to be
/// arithmetic, here-documents inside here-documents, backquotes inside backquotes. Each level costs
/// at most one more pass over the text; more than this is [`crate::ErrorKind::TooDeep`].
pub const MAX_REPARSE_DEPTH: u32 = 8;

/// Most words and commands in one command line, substitutions included: what is read before anything of
/// it runs. Each takes some hundred bytes; scripts, which are read a line at a time, stay far under it.
pub const MAX_NODES: usize = 256 * 1024;

/// How many words a command takes the memory of.
pub const COMMAND_NODES: usize = 4;

/// Most bytes that aliases may insert into one text. Beyond it, aliases are left as they are.
pub const MAX_ALIAS_BYTES: usize = 64 * 1024;

/// Most alias expansions in one text; each moves the rest of it.
pub const MAX_ALIASES: usize = 512;

/// Longest source line repeated in an error, in bytes; a longer one is cut.
pub const MAX_SOURCE_LINE_BYTES: usize = 64 * 1024;

/// Most words of one sequence such as `{1..9}`; a longer one stays as typed, as in bash, which counts
/// them in an `int`.
pub const MAX_SEQUENCE_WORDS: u64 = 0x7fff_fffc;

/// Deepest nesting of an arithmetic expression. Bash stops at 1024 levels of recursion through
/// variables; parentheses alone never come near.
pub const MAX_ARITHMETIC_DEPTH: u32 = 64;
