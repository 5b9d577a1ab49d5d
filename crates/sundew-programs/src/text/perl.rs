//! `perl` 5.36: a small interpreter of the language that one-liners and scripts of visitors are written in.
//!
//! The text becomes a tree (`parse`), the tree instructions (`compile`), and these run on a machine whose
//! stacks are on the heap (`vm`), so that nothing nests on the host's stack and fork(2) copies a program in
//! the middle of its work. There: scalars, arrays, hashes, references, closures, packages and classes,
//! patterns, `local`, `eval`, `sprintf`, `pack`, files, pipes, commands, processes, signals, sockets through
//! the machine's network, and the command line's `-e -n -p -i -l -a -F -0 -c -M -v`. Not there: formats,
//! `tie`, Unicode semantics, warnings of `-w`, and modules beyond the subs that are built in.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{ExitStatus, Process, STDIN};

use self::compile::{Source, compile};
use self::options::{Options, Read};
use self::parse::Failure;
use self::value::Value;
use self::vm::{Flow, Res, State, Vm};

mod ast;
mod code;
mod compile;
mod format;
mod number;
mod options;
mod pack;
mod parse;
mod stack;
mod value;
mod vm;

#[cfg(test)]
mod tests;

/// Bytes of a script that is read.
const MAX_SCRIPT_BYTES: usize = 1 << 20;

/// `perl`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = match options::read(proc.args()) {
        Read::Run(options) => *options,
        Read::Print(text) => {
            let _closed = proc.print(&text).await;
            return proc.status();
        }
        Read::Refuse(text, status) => {
            proc.print_error(&text).await;
            return ExitStatus::Exited(status);
        }
    };
    let (script, mut code) = match options.code.take() {
        Some(code) => ("-e".to_owned(), code),
        None => match script(proc, &mut options).await {
            Ok(found) => found,
            Err(status) => return status,
        },
    };
    if let Some(first) = code.strip_prefix(b"#!") {
        let line = first
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let line = line.to_vec();
        if let Some(at) = line.windows(4).position(|window| window == b"perl") {
            let words: Vec<Vec<u8>> = line
                .get(at..)
                .unwrap_or_default()
                .split(u8::is_ascii_whitespace)
                .map(<[u8]>::to_vec)
                .collect();
            options.take_switches(&words);
        }
    }
    if options.finds_start {
        // `-x`: what stands before the line with the program's name is a letter.
        let mut at = 0;
        let start = code
            .split_inclusive(|byte| *byte == b'\n')
            .find_map(|line| {
                let here = at;
                at += line.len();
                let names = line.windows(4).any(|window| window == b"perl");
                (line.starts_with(b"#!") && names).then_some(here)
            });
        let Some(start) = start else {
            proc.print_error(b"No Perl script found in input\n").await;
            return ExitStatus::Exited(255);
        };
        code = code.split_off(start);
    }
    let mut memory = proc.memory();
    if code.len() > MAX_SCRIPT_BYTES || memory.grow(code.len().saturating_mul(64)).is_err() {
        proc.print_error(b"Out of memory!\n").await;
        return ExitStatus::FAILURE;
    }
    let data = if script == "-e" { None } else { data_of(&code) };
    let code = options.wrapped(&code);
    execute(proc, &options, &script, &code, data).await
}

/// What stands behind `__END__` or `__DATA__`.
fn data_of(code: &[u8]) -> Option<Vec<u8>> {
    let mut at = 0;
    for line in code.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if matches!(line.trim_ascii_end(), b"__END__" | b"__DATA__") {
            return code.get(at..).map(<[u8]>::to_vec);
        }
    }
    None
}

/// Compiles and runs.
async fn execute(
    proc: &mut Process,
    options: &Options,
    script: &str,
    code: &[u8],
    data: Option<Vec<u8>>,
) -> ExitStatus {
    let mut state = State::new(script);
    state.in_place.clone_from(&options.in_place);
    let compiled = parse::program(code, options.first_line()).and_then(|block| {
        let source = Source {
            block: &block,
            file: script,
            view: None,
        };
        compile(&source, &mut state.symbols)
    });
    let chunk = match compiled {
        Ok(chunk) => chunk,
        Err((failure, line)) => {
            let mut text = complaint(&failure, script, line);
            if matches!(
                failure,
                Failure::Near(_)
                    | Failure::Missing(..)
                    | Failure::Strict(_)
                    | Failure::Unclosed
                    | Failure::Unopened
            ) {
                let verb = if options.checks {
                    "had"
                } else {
                    "aborted due to"
                };
                text += &format!(
                    "{}{script} {verb} compilation errors.\n",
                    if options.checks { "" } else { "Execution of " }
                );
            }
            proc.print_error(text.as_bytes()).await;
            return ExitStatus::Exited(255);
        }
    };
    if options.checks {
        proc.print_error(format!("{script} syntax OK\n").as_bytes())
            .await;
        return ExitStatus::SUCCESS;
    }
    let mut vm = Vm::new(proc, state);
    vm.standard_files();
    set_globals(&mut vm, options, script);
    if let Some(data) = data {
        vm.add_text_file("DATA", &data);
    }
    let outcome = match vm.enter(chunk) {
        Ok(()) => vm.run(0).await,
        Err(flow) => Err(flow),
    };
    finish(vm, outcome).await
}

fn set_globals(vm: &mut Vm<'_>, options: &Options, script: &str) {
    vm.set_global("0", Value::text(script.as_bytes()));
    vm.set_global("/", Value::text(b"\n"));
    vm.set_global("\"", Value::text(b" "));
    vm.set_global(";", Value::text([0x1c]));
    vm.set_global("@", Value::text(b""));
    vm.set_global("!", Value::text(b""));
    vm.set_global("?", Value::Int(0));
    vm.set_global("|", Value::Int(0));
    vm.set_global("~", Value::text(b"STDOUT"));
    vm.set_array(
        "ARGV",
        options.operands.iter().map(|own| Value::text(own.clone())),
    );
    let places = options
        .includes
        .iter()
        .cloned()
        .chain(INCLUDES.iter().map(|path| path.as_bytes().to_vec()));
    vm.set_array("INC", places.map(Value::text));
    vm.set_environment();
    if let Some(separator) = &options.record {
        let value = separator.clone().map_or(Value::Undef, Value::text);
        vm.set_global("/", value);
    }
    if let Some(end) = &options.ends {
        vm.set_global("\\", Value::text(end.clone()));
    }
}

/// Runs what stands in `END`, says what killed the program, and gives its status.
async fn finish(mut vm: Vm<'_>, outcome: Res) -> ExitStatus {
    let mut status = match outcome {
        Ok(()) => ExitStatus::SUCCESS,
        Err(flow) => fallen(&mut vm, flow).await,
    };
    vm.abandon();
    vm.set_global("?", Value::Int(i64::from(status.code())));
    match vm.run_ends().await {
        Ok(()) => {}
        Err(flow) => status = fallen(&mut vm, flow).await,
    }
    let _closed = vm.proc.flush().await;
    status
}

async fn fallen(vm: &mut Vm<'_>, flow: Flow) -> ExitStatus {
    match flow {
        Flow::Exit(code) => ExitStatus::Exited(code),
        Flow::Die(value) => {
            let code = vm.death_code();
            let _closed = vm.proc.flush().await;
            vm.proc.print_error(&value.bytes()).await;
            ExitStatus::Exited(code)
        }
    }
}

/// Where modules are looked for.
const INCLUDES: &[&str] = &[
    "/etc/perl",
    "/usr/local/lib/x86_64-linux-gnu/perl/5.36.0",
    "/usr/local/share/perl/5.36.0",
    "/usr/lib/x86_64-linux-gnu/perl5/5.36",
    "/usr/share/perl5",
    "/usr/lib/x86_64-linux-gnu/perl-base",
    "/usr/lib/x86_64-linux-gnu/perl/5.36",
    "/usr/share/perl/5.36",
    "/usr/local/lib/site_perl",
];

/// A parser's failure as perl words it.
fn complaint(failure: &Failure, script: &str, line: usize) -> String {
    match failure {
        Failure::Near(text) if text.is_empty() => {
            format!("syntax error at {script} line {line}, at EOF\n")
        }
        Failure::Near(text) => format!("syntax error at {script} line {line}, near \"{text}\"\n"),
        Failure::Missing(kind, near, term) => format!(
            "{kind} found where operator expected at {script} line {line}, near \"{near}\"\n\t(Missing operator before {term}?)\nsyntax error at {script} line {line}, near \"{near}\"\n"
        ),
        Failure::Other(text) | Failure::Strict(text) => {
            format!("{text} at {script} line {line}.\n")
        }
        Failure::Unclosed => format!(
            "Missing right curly or square bracket at {script} line {line}, at end of line\nsyntax error at {script} line {line}, at EOF\n"
        ),
        Failure::Unopened => format!(
            "Unmatched right curly bracket at {script} line {line}, at end of line\nsyntax error at {script} line {line}, near \"}}\"\n"
        ),
    }
}

/// What perl says when it does not find a module.
fn missing_module(name: &str) -> String {
    let file = if name.contains('/') || name.contains('.') {
        name.to_owned()
    } else {
        format!("{}.pm", name.replace("::", "/"))
    };
    let places = INCLUDES.join(" ");
    match file.strip_suffix(".pm") {
        Some(module) => {
            let module = module.replace('/', "::");
            format!(
                "Can't locate {file} in @INC (you may need to install the {module} module) (@INC contains: {places})"
            )
        }
        None => format!("Can't locate {file} in @INC (@INC contains: {places})"),
    }
}

/// The script file's name and text.
async fn script(
    proc: &mut Process,
    options: &mut Options,
) -> Result<(String, Vec<u8>), ExitStatus> {
    let path = if options.operands.is_empty() {
        b"-".to_vec()
    } else {
        options.operands.remove(0)
    };
    let name = String::from_utf8_lossy(&path).into_owned();
    let bytes = if path == b"-" {
        proc.read_to_end(STDIN).await
    } else {
        match proc.open(&path, OpenFlags::READ, 0).await {
            Ok(fd) => {
                let bytes = proc.read_to_end(fd).await;
                // Opened here.
                let _open = proc.close(fd);
                bytes
            }
            Err(errno) => Err(errno),
        }
    };
    match bytes {
        Ok((bytes, _charged)) if bytes.len() <= MAX_SCRIPT_BYTES => Ok((name, bytes)),
        Ok(_) => {
            proc.print_error(b"Out of memory!\n").await;
            Err(ExitStatus::FAILURE)
        }
        Err(errno) => {
            let text = format!("Can't open perl script \"{name}\": {}\n", errno.message());
            proc.print_error(text.as_bytes()).await;
            Err(ExitStatus::Exited(
                u8::try_from(errno.number()).unwrap_or(2),
            ))
        }
    }
}
