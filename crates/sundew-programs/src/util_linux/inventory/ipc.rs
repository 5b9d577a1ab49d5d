//! `lsipc`, `ipcmk`, `ipcrm`: System V objects, of which the machine has none.

use super::super::spec;
use super::super::table::{Column, Table, left, right};
use sundew_kernel::{Errno, ExitStatus, Process};

const IPC_COLUMNS: &[Column] = &[
    left("RESOURCE"),
    left("DESCRIPTION"),
    right("LIMIT"),
    right("USED"),
    right("USE%"),
];

/// Names, descriptions and limits as the kernel has them by default; the last tells whether use is
/// counted.
const IPC_LIMITS: &[(&str, &str, &str, bool)] = &[
    ("MSGMNI", "Number of message queues", "32000", true),
    ("MSGMAX", "Max size of message (bytes)", "8K", false),
    ("MSGMNB", "Default max size of queue (bytes)", "16K", false),
    ("SHMMNI", "Shared memory segments", "4096", true),
    (
        "SHMALL",
        "Shared memory pages",
        "18446744073692774399",
        true,
    ),
    (
        "SHMMAX",
        "Max size of shared memory segment (bytes)",
        "16E",
        false,
    ),
    (
        "SHMMIN",
        "Min size of shared memory segment (bytes)",
        "1B",
        false,
    ),
    ("SEMMNI", "Number of semaphore identifiers", "32000", true),
    ("SEMMNS", "Total number of semaphores", "1024000000", true),
    (
        "SEMMSL",
        "Max semaphores per semaphore set.",
        "32000",
        false,
    ),
    (
        "SEMOPM",
        "Max number of operations per semop(2)",
        "500",
        false,
    ),
    ("SEMVMX", "Semaphore max value", "32767", false),
];

pub(in crate::util_linux) async fn lsipc(proc: &mut Process) -> ExitStatus {
    let line = match super::super::line(proc, "lsipc", &spec::LSIPC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let kind = [("m", "SHM"), ("q", "MSG"), ("s", "SEM")]
        .into_iter()
        .find(|(key, _)| line.has(key));
    let global = line.has("g") || kind.is_none();
    if global && (line.has("i") || line.has("c") || line.has("t")) {
        let text = "--global is mutually exclusive with --creator, --id and --time";
        return super::super::fail(proc, text).await;
    }
    if let Some(id) = line.value("i") {
        if super::super::number::<u32>(id).is_none() {
            return super::super::bad_argument(proc, "failed to parse IPC identifier", id).await;
        }
        let text = [b"id ".as_slice(), id, b" not found"].concat();
        return super::super::fail(proc, text).await;
    }
    if !global {
        return proc.status();
    }
    let mut table = Table::new("ipclimits", IPC_COLUMNS);
    for option in &line.options {
        let key = if option.key == "n" {
            "newline"
        } else {
            option.key
        };
        if let Err(name) = table.option(key, &option.value) {
            return super::super::unknown_column(proc, &name).await;
        }
    }
    for (name, description, limit, counted) in IPC_LIMITS {
        if kind.is_some_and(|(_, prefix)| !name.starts_with(prefix)) {
            continue;
        }
        let (used, share) = if *counted { ("0", "0.00%") } else { ("-", "-") };
        let row = [*name, *description, *limit, used, share];
        table.rows.push(row.map(str::to_owned).to_vec());
    }
    table.print(proc).await
}

/// `ipcmk`: the machine has no System V objects, and no room for any.
pub(in crate::util_linux) async fn ipcmk(proc: &mut Process) -> ExitStatus {
    let line = match super::super::line(proc, "ipcmk", &spec::IPCMK).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let kinds = [
        ("M", "create share memory failed"),
        ("S", "create semaphore failed"),
        ("Q", "create message queue failed"),
    ];
    for (key, text) in kinds {
        let Some(value) = line.value(key) else {
            continue;
        };
        if key != "Q" && super::super::size_of(value).is_none() {
            let what = if key == "M" {
                "failed to parse size"
            } else {
                "failed to parse elements"
            };
            return super::super::bad_argument(proc, what, value).await;
        }
        proc.complain(text.as_bytes(), Errno::Enospc).await;
        return ExitStatus::FAILURE;
    }
    super::super::bad_usage(proc).await
}

pub(in crate::util_linux) async fn ipcrm(proc: &mut Process) -> ExitStatus {
    let line = match super::super::line(proc, "ipcrm", &spec::IPCRM).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    for option in &line.options {
        let (key, value) = (option.key, option.value.as_slice());
        if !matches!(key, "m" | "M" | "q" | "Q" | "s" | "S") {
            continue;
        }
        let text = std::str::from_utf8(value).unwrap_or_default();
        let is_number = match text.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).is_ok(),
            None => text.parse::<u32>().is_ok(),
        };
        if !is_number {
            return super::super::bad_argument(proc, "failed to parse argument", value).await;
        }
        let what = if key.chars().all(char::is_uppercase) {
            "key"
        } else {
            "id"
        };
        proc.complain_text(format!("invalid {what} ({text})")).await;
    }
    proc.status()
}
