//! What goes out and comes in: `print`, `getline`, pipes, files.

use std::collections::HashMap;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDERR, STDIN};

use super::op::{Destination, Place, Source};
use super::record::Records;
use super::value::Value;
use super::vm::{ARGV, FILENAME, FNR, NR, OFMT, OFS, ORS, Stop, Vm};
use crate::text::input;
use crate::text::shell::{self, Pipe};

/// Bytes kept back before a write to a file or pipe.
const BLOCK: usize = 4096;
/// Most files and pipes open at once.
const MAX_STREAMS: usize = 200;

/// A file or pipe that is written.
#[derive(Debug)]
struct Out {
    fd: Fd,
    buffer: Vec<u8>,
    pipe: Option<Pipe>,
}

/// A file or pipe that is read.
#[derive(Debug)]
struct In {
    records: Records,
    pipe: Option<Pipe>,
}

#[derive(Debug, Default)]
pub(super) struct Streams {
    outputs: Vec<(Vec<u8>, Out)>,
    inputs: HashMap<(bool, Vec<u8>), In>,
    main: Option<Records>,
    /// Operands, and the next one to look at.
    operands: Vec<Vec<u8>>,
    next_operand: usize,
    /// Whether any operand was a file.
    any_file: bool,
    finished: bool,
}

impl Out {
    async fn flush(&mut self, proc: &Process) -> Result<(), Errno> {
        let bytes = std::mem::take(&mut self.buffer);
        proc.write_all(self.fd, &bytes).await
    }
}

impl Streams {
    pub(super) fn set_operands(&mut self, operands: Vec<Vec<u8>>) {
        self.operands = operands;
    }

    /// Leaves the rest of the main input's file.
    pub(super) fn skip_file(&mut self, proc: &Process) {
        if let Some(main) = self.main.take() {
            input::close(proc, main.fd);
        }
    }

    async fn flush_outputs(&mut self, proc: &mut Process) {
        // Failures show again when the stream is closed or the program ends.
        let _reported_at_exit = proc.flush().await;
        for (_, out) in &mut self.outputs {
            let _reported_at_close = out.flush(proc).await;
        }
    }

    async fn close_output(proc: &mut Process, mut out: Out) -> ExitStatus {
        let flushed = out.flush(proc).await;
        match out.pipe {
            Some(pipe) => shell::close(proc, pipe).await,
            None => {
                input::close(proc, out.fd);
                if flushed.is_ok() {
                    ExitStatus::SUCCESS
                } else {
                    ExitStatus::Exited(255)
                }
            }
        }
    }

    /// At the end: everything is written, and commands are waited for.
    pub(super) async fn close_all(&mut self, proc: &mut Process) {
        // What awk itself printed since the last pipe was opened comes behind what the pipes print.
        for (_, out) in std::mem::take(&mut self.outputs) {
            Self::close_output(proc, out).await;
        }
        for (_, open) in std::mem::take(&mut self.inputs) {
            if let Some(pipe) = open.pipe {
                shell::close(proc, pipe).await;
            }
        }
    }
}

impl Vm {
    // ---- writing -------------------------------------------------------------------------------

    pub(super) async fn print(
        &mut self,
        proc: &mut Process,
        args: usize,
        destination: Destination,
    ) -> Result<(), Stop> {
        let name = self.destination_name(destination);
        let mut line = if args == 0 {
            self.record().to_vec()
        } else {
            let format = self
                .globals
                .get(OFMT)
                .map(|value| value.to_text(b"%.6g"))
                .unwrap_or_default();
            let separator = self
                .globals
                .get(OFS)
                .map(|value| value.to_text(b"%.6g"))
                .unwrap_or_default();
            let values = self.pop_many(args);
            let mut line = Vec::new();
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    line.extend_from_slice(&separator);
                }
                line.extend_from_slice(&value.to_text(&format));
            }
            line
        };
        let end = self
            .globals
            .get(ORS)
            .map(|value| value.to_text(b"%.6g"))
            .unwrap_or_default();
        line.extend_from_slice(&end);
        self.write(proc, destination, name, &line).await
    }

    pub(super) async fn printf(
        &mut self,
        proc: &mut Process,
        args: usize,
        destination: Destination,
    ) -> Result<(), Stop> {
        let name = self.destination_name(destination);
        let values = self.pop_many(args);
        match self.formatted("printf", &values) {
            Ok(text) => self.write(proc, destination, name, &text).await,
            Err((text, stop)) => {
                // What came before the mistake is out already.
                self.write(proc, destination, name, &text).await?;
                Err(stop)
            }
        }
    }

    fn destination_name(&mut self, destination: Destination) -> Vec<u8> {
        if destination == Destination::Stdout {
            Vec::new()
        } else {
            self.pop_text().to_vec()
        }
    }

    async fn write(
        &mut self,
        proc: &mut Process,
        destination: Destination,
        name: Vec<u8>,
        bytes: &[u8],
    ) -> Result<(), Stop> {
        let is_file = matches!(destination, Destination::File | Destination::Append);
        let is_stdout = is_file && matches!(name.as_slice(), b"/dev/stdout" | b"-");
        if destination == Destination::Stdout || is_stdout {
            return proc.print(bytes).await.map_err(|_| Stop::Write);
        }
        if is_file && name == b"/dev/stderr" {
            return proc.write_all(STDERR, bytes).await.map_err(|_| Stop::Write);
        }
        let index = match self
            .streams
            .outputs
            .iter()
            .position(|(known, _)| *known == name)
        {
            Some(index) => index,
            None => {
                let out = self.open_output(proc, destination, &name).await?;
                self.streams.outputs.push((name.clone(), out));
                self.streams.outputs.len() - 1
            }
        };
        let Some((_, out)) = self.streams.outputs.get_mut(index) else {
            return Ok(());
        };
        out.buffer.extend_from_slice(bytes);
        if out.buffer.len() >= BLOCK || proc.is_terminal(out.fd) {
            let result = out.flush(proc).await;
            result.map_err(|errno| write_failure(&name, errno))?;
        }
        Ok(())
    }

    async fn open_output(
        &mut self,
        proc: &mut Process,
        destination: Destination,
        name: &[u8],
    ) -> Result<Out, Stop> {
        if self.streams.outputs.len() >= MAX_STREAMS {
            return Err(cannot_open(name, Errno::Emfile));
        }
        let failed = |errno: Errno| cannot_open(name, errno);
        if destination == Destination::Pipe {
            // What was printed before comes first.
            self.streams.flush_outputs(proc).await;
            let pipe = shell::open(proc, name, true).map_err(failed)?;
            return Ok(Out {
                fd: pipe.fd,
                buffer: Vec::new(),
                pipe: Some(pipe),
            });
        }
        let flags = if destination == Destination::File {
            OpenFlags::CREATE
        } else {
            OpenFlags::APPEND
        };
        let fd = proc.open(name, flags, 0o666).await.map_err(failed)?;
        Ok(Out {
            fd,
            buffer: Vec::new(),
            pipe: None,
        })
    }

    /// `system`, `close` and `fflush`.
    pub(super) async fn outside(
        &mut self,
        proc: &mut Process,
        name: &str,
        args: usize,
    ) -> Result<(), Stop> {
        let argument = (args > 0).then(|| self.pop_text().to_vec());
        let result = match (name, argument) {
            ("system", Some(command)) => {
                self.streams.flush_outputs(proc).await;
                match shell::system(proc, &command).await {
                    Ok(ExitStatus::Signaled(signal)) => 256.0 + f64::from(signal.number()),
                    Ok(status) => f64::from(status.code()),
                    Err(_) => 127.0,
                }
            }
            ("close", Some(name)) => self.close(proc, &name).await,
            ("fflush", Some(name))
                if !name.is_empty()
                    && name != b"/dev/stdout"
                    && !self.streams.outputs.iter().any(|(known, _)| *known == name) =>
            {
                -1.0
            }
            _ => {
                self.streams.flush_outputs(proc).await;
                0.0
            }
        };
        self.push(Value::Number(result));
        Ok(())
    }

    async fn close(&mut self, proc: &mut Process, name: &[u8]) -> f64 {
        let mut result = -1.0;
        if let Some(index) = self
            .streams
            .outputs
            .iter()
            .position(|(known, _)| known == name)
        {
            let (_, out) = self.streams.outputs.remove(index);
            let _reported_at_exit = proc.flush().await;
            result = f64::from(Streams::close_output(proc, out).await.code());
        }
        for command in [false, true] {
            if let Some(open) = self.streams.inputs.remove(&(command, name.to_vec())) {
                result = match open.pipe {
                    Some(pipe) => f64::from(shell::close(proc, pipe).await.code()),
                    None => {
                        input::close(proc, open.records.fd);
                        0.0
                    }
                };
            }
        }
        result
    }

    // ---- reading -------------------------------------------------------------------------------

    pub(super) async fn getline(
        &mut self,
        proc: &mut Process,
        source: Source,
        place: Option<Place>,
    ) -> Result<(), Stop> {
        let needs_key = matches!(place, Some(Place::Element(_) | Place::Field));
        // A file's name lies above what the place needs, a command below.
        let mut name = Vec::new();
        if source == Source::File {
            name = self.pop_text().to_vec();
        }
        let key = needs_key.then(|| self.pop());
        if source == Source::Command {
            name = self.pop_text().to_vec();
        }
        let read = match source {
            Source::Main => self.next_record(proc).await.map(Ok)?,
            _ => {
                self.read_named(proc, source == Source::Command, &name)
                    .await
            }
        };
        let result = match read {
            Ok(Some(record)) => {
                if source == Source::Command {
                    self.count_record(false);
                }
                match place {
                    None => self.set_record(&record),
                    Some(place) => {
                        if let Some(key) = key {
                            self.push(key);
                        }
                        self.store(place, Value::input(&record))?;
                    }
                }
                1.0
            }
            Ok(None) => 0.0,
            Err(_) => -1.0,
        };
        self.push(Value::Number(result));
        Ok(())
    }

    async fn read_named(
        &mut self,
        proc: &mut Process,
        command: bool,
        name: &[u8],
    ) -> Result<Option<Vec<u8>>, Errno> {
        let key = (command, name.to_vec());
        if !self.streams.inputs.contains_key(&key) {
            if self.streams.inputs.len() >= MAX_STREAMS {
                return Err(Errno::Emfile);
            }
            let open = if command {
                self.streams.flush_outputs(proc).await;
                let pipe = shell::open(proc, name, false)?;
                In {
                    records: Records::new(proc, pipe.fd),
                    pipe: Some(pipe),
                }
            } else {
                let fd = if matches!(name, b"-" | b"/dev/stdin") {
                    STDIN
                } else {
                    input::open_file(proc, name).await?
                };
                In {
                    records: Records::new(proc, fd),
                    pipe: None,
                }
            };
            self.streams.inputs.insert(key.clone(), open);
        }
        let separator = self.record_separator.clone();
        match self.streams.inputs.get_mut(&key) {
            Some(open) => open.records.next(proc, &separator).await,
            None => Ok(None),
        }
    }

    fn count_record(&mut self, file: bool) {
        for index in [NR, FNR] {
            if index == NR || file {
                let number = self.globals.get(index).map_or(0.0, Value::number);
                self.set_global(index, Value::Number(number + 1.0));
            }
        }
    }

    /// The next record of the main input; NR and FNR count it.
    pub(super) async fn next_record(
        &mut self,
        proc: &mut Process,
    ) -> Result<Option<Vec<u8>>, Stop> {
        loop {
            if self.streams.main.is_none() && !self.open_main(proc).await? {
                return Ok(None);
            }
            let separator = self.record_separator.clone();
            let Some(main) = self.streams.main.as_mut() else {
                return Ok(None);
            };
            match main.next(proc, &separator).await {
                Ok(Some(record)) => {
                    self.count_record(true);
                    return Ok(Some(record));
                }
                Ok(None) => self.streams.skip_file(proc),
                Err(Errno::Enomem) => return Err(super::vm::out_of_memory()),
                Err(_) => self.streams.skip_file(proc),
            }
        }
    }

    async fn open_main(&mut self, proc: &mut Process) -> Result<bool, Stop> {
        while !self.streams.finished {
            let index = self.streams.next_operand;
            if index >= self.streams.operands.len() {
                self.streams.finished = true;
                if self.streams.any_file {
                    return Ok(false);
                }
                self.set_global(FILENAME, Value::text(b"-"));
                self.streams.main = Some(Records::new(proc, STDIN));
                return Ok(true);
            }
            self.streams.next_operand += 1;
            let operand = self.operand(index);
            if operand.is_empty() || self.assign(&operand)? {
                continue;
            }
            self.streams.any_file = true;
            let opened = if operand == b"-" {
                Ok(STDIN)
            } else {
                input::open_file(proc, &operand).await
            };
            match opened {
                Ok(fd) => {
                    self.set_global(FILENAME, Value::input(&operand));
                    self.set_global(FNR, Value::Number(0.0));
                    self.streams.main = Some(Records::new(proc, fd));
                    return Ok(true);
                }
                Err(errno @ Errno::Eisdir) => {
                    let reason = errno.message().as_bytes();
                    return Err(Stop::Fatal([b"read error (", reason, b")"].concat()));
                }
                Err(errno) => {
                    let reason = errno.message().as_bytes();
                    let text = [b"cannot open ".as_slice(), &operand, b" (", reason, b")"].concat();
                    return Err(Stop::Fatal(text));
                }
            }
        }
        Ok(false)
    }

    /// An operand as ARGV has it now.
    fn operand(&mut self, index: usize) -> Vec<u8> {
        let key = (index + 1).to_string().into_bytes();
        self.element(ARGV, &key)
            .map(|value| value.to_text(b"%.6g").to_vec())
            .unwrap_or_default()
    }
}

fn cannot_open(name: &[u8], errno: Errno) -> Stop {
    let reason = errno.message().as_bytes();
    Stop::Fatal(
        [
            b"cannot open \"".as_slice(),
            name,
            b"\" for output (",
            reason,
            b")",
        ]
        .concat(),
    )
}

fn write_failure(name: &[u8], errno: Errno) -> Stop {
    let reason = errno.message().as_bytes();
    Stop::Fatal(
        [
            b"write failure on \"".as_slice(),
            name,
            b"\" (",
            reason,
            b")",
        ]
        .concat(),
    )
}
