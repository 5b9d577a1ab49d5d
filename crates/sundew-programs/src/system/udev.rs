//! `udevadm`.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::cli::{self, Order};

/// Commands of udevadm that change nothing here.
const QUIET: &[&str] = &["settle", "control", "trigger", "hwdb", "wait", "lock"];

pub(super) async fn udevadm(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "udevadm", 1, Order::OptionsFirst).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let verb = super::text(line.operands.first().map_or(b"".as_slice(), Vec::as_slice));
    let mut words = line.operands.iter().skip(1).map(|word| super::text(word));
    match verb.as_str() {
        "" => super::fail(proc, "Command verb required.\n", 1).await,
        "help" => super::put(proc, cli::section("udevadm")).await,
        "version" => super::put(proc, "252\n").await,
        "info" => {
            let (mut name, mut path, mut query) = (None, None, "all".to_owned());
            while let Some(word) = words.next() {
                match word.as_str() {
                    "-n" | "--name" => name = words.next(),
                    "-p" | "--path" => path = words.next(),
                    "-q" | "--query" => query = words.next().unwrap_or_default(),
                    "-a" | "--attribute-walk" => query = "walk".to_owned(),
                    "-e" | "--export-db" => query = "all".to_owned(),
                    word => {
                        if let Some(value) = word.strip_prefix("--name=") {
                            name = Some(value.to_owned());
                        } else if let Some(value) = word.strip_prefix("--path=") {
                            path = Some(value.to_owned());
                        } else if let Some(value) = word.strip_prefix("--query=") {
                            query = value.to_owned();
                        } else if word.starts_with("/dev/") {
                            name = Some(word.to_owned());
                        } else if word.starts_with('/') {
                            path = Some(word.to_owned());
                        }
                    }
                }
            }
            info(proc, name, path, &query).await
        }
        verb if QUIET.contains(&verb) => {
            if matches!(verb, "control" | "trigger") && proc.credentials().uid != 0 {
                let reason = Errno::Eacces.message();
                let text = format!("Failed to send control message: {reason}\n");
                return super::fail(proc, text, 1).await;
            }
            proc.status()
        }
        "monitor" => {
            let out = "monitor will print the received events for:\nUDEV - the event which udev sends out after rule processing\nKERNEL - the kernel uevent\n\n";
            super::put(proc, out).await;
            let _flushed = proc.flush().await;
            let day = std::time::Duration::from_secs(86_400);
            while proc.sleep(day).await.is_ok() {}
            proc.status()
        }
        "test" | "test-builtin" => super::fail(proc, "syspath parameter missing.\n", 2).await,
        verb => {
            let text = format!("Unknown command verb {verb}.\n");
            super::fail(proc, text, 1).await
        }
    }
}

pub(super) async fn info(
    proc: &mut Process,
    name: Option<String>,
    path: Option<String>,
    query: &str,
) -> ExitStatus {
    let Some(place) = name.clone().or(path) else {
        let text = "A device name or path is required\n";
        return super::fail(proc, text, 1).await;
    };
    let node = if name.is_some() && !place.starts_with('/') {
        format!("/dev/{place}")
    } else {
        place.clone()
    };
    let metadata = match proc.stat(node.as_bytes()) {
        Ok(metadata) => metadata,
        Err(errno) => {
            let text = format!("Unknown device \"{place}\": {}\n", errno.message());
            return super::fail(proc, text, 1).await;
        }
    };
    let base = node.rsplit('/').next().unwrap_or_default().to_owned();
    let block = metadata.file_type == sundew_vfs::FileType::BlockDevice;
    let (subsystem, devpath) = if !block {
        ("misc", format!("/devices/virtual/misc/{base}"))
    } else if base.ends_with(|letter: char| letter.is_ascii_digit()) {
        let disk = base.trim_end_matches(|letter: char| letter.is_ascii_digit());
        (
            "block",
            format!("/devices/pci0000:00/0000:00:04.0/virtio1/block/{disk}/{base}"),
        )
    } else {
        (
            "block",
            format!("/devices/pci0000:00/0000:00:04.0/virtio1/block/{base}"),
        )
    };
    let kind = if devpath.ends_with(&format!("{base}/{base}")) || devpath.matches('/').count() > 6 {
        "partition"
    } else {
        "disk"
    };
    let (major, minor) = metadata.rdev;
    let properties = format!(
        "DEVPATH={devpath}\nDEVNAME=/dev/{base}\nDEVTYPE={kind}\nMAJOR={major}\nMINOR={minor}\nSUBSYSTEM={subsystem}\n"
    );
    let out = match query {
        "name" => format!("{base}\n"),
        "path" => format!("{devpath}\n"),
        "symlink" => "\n".to_owned(),
        "property" => properties,
        "walk" => format!(
            "\nUdevadm info starts with the device specified by the devpath and then\nwalks up the chain of parent devices. It prints for every device\nfound, all possible attributes in the udev rules key format.\nA rule to match, can be composed by the attributes of the device\nand the attributes from one single parent device.\n\n  looking at device '{devpath}':\n    KERNEL==\"{base}\"\n    SUBSYSTEM==\"{subsystem}\"\n    DRIVER==\"\"\n\n"
        ),
        _ => {
            let lines: String = properties
                .lines()
                .map(|line| format!("E: {line}\n"))
                .collect();
            format!(
                "P: {devpath}\nM: {base}\nU: {subsystem}\nT: {kind}\nD: {} {major}:{minor}\nN: {base}\nL: 0\n{lines}\n",
                if block { "b" } else { "c" }
            )
        }
    };
    super::put(proc, out).await
}
