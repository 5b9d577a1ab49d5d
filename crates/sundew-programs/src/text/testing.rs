//! Runs one of these programs on a machine for tests.

use sundew_kernel::budget::Limits;
use sundew_kernel::program::Program;
use sundew_kernel::testing;

/// Standard output, standard error and status of a run of root's.
pub(crate) fn run(args: &[&str], stdin: &[u8]) -> (String, String, u8) {
    let programs: Vec<Program> = crate::table::programs().collect();
    let finished = testing::run(&programs, args, stdin, Limits::default());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = finished.status.map_or(255, sundew_kernel::ExitStatus::code);
    (text(&finished.stdout), text(&finished.stderr), status)
}
