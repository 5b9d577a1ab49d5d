//! The program table: which function runs which executable.

use std::collections::HashMap;

use futures_util::future::BoxFuture;

use crate::executable::build_id;
use crate::{ExitStatus, Process};

/// A program: one async function over its process. The kernel flushes standard output when it
/// returns.
pub type ProgramFn = for<'a> fn(&'a mut Process) -> BoxFuture<'a, ExitStatus>;

/// One program and the name that its executables carry (see [`crate::executable`]).
#[derive(Clone, Copy)]
pub struct Program {
    /// `ls`, `busybox`. Unique in the table.
    pub name: &'static str,
    /// What runs.
    pub run: ProgramFn,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// All programs of a machine, found by the build id in an executable or by name.
#[derive(Debug, Default)]
pub struct ProgramTable {
    by_build_id: HashMap<[u8; 20], Program>,
    by_name: HashMap<&'static str, Program>,
}

impl ProgramTable {
    /// A table of these programs; of two with one name the later counts.
    pub fn new(programs: impl IntoIterator<Item = Program>) -> Self {
        let mut table = Self::default();
        for program in programs {
            table
                .by_build_id
                .insert(build_id(program.name.as_bytes()), program);
            table.by_name.insert(program.name, program);
        }
        table
    }

    /// The program whose executables carry this build id.
    pub fn by_build_id(&self, id: &[u8; 20]) -> Option<Program> {
        self.by_build_id.get(id).copied()
    }

    /// The program of this name.
    pub fn by_name(&self, name: &[u8]) -> Option<Program> {
        self.by_name.get(std::str::from_utf8(name).ok()?).copied()
    }

    /// All names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.by_name.keys().copied()
    }
}
