//! Reading a line from a person: keys, the editing buffer, history, completion.

mod editor;
pub mod history;

use sundew_kernel::Process;

use crate::shell::Shell;
pub use history::History;

/// What a person answered to a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A line, without its newline.
    Line(Vec<u8>),
    /// `^D` on an empty line, or a hang-up.
    End,
    /// `^C`.
    Interrupted,
}

impl Shell {
    /// Shows `prompt` and reads a line.
    pub async fn read_line(&mut self, proc: &mut Process, prompt: &[u8]) -> Input {
        proc.print_error(prompt).await;
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match proc.read(0, &mut byte).await {
                Ok(0) | Err(sundew_kernel::Errno::Eio) if line.is_empty() => return Input::End,
                Ok(1) if byte != *b"\n" => line.extend_from_slice(&byte),
                Ok(_) => return Input::Line(line),
                Err(_) => return Input::Interrupted,
            }
        }
    }
}
