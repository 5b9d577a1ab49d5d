//! kmod under its names (`lsmod`, `modprobe`, `insmod`, `rmmod`, `depmod`, `modinfo`), and `lspci`.

use sundew_kernel::{ExitStatus, Process};

use super::{fail, lines, print, read};

/// kmod.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let name = String::from_utf8_lossy(proc.base_name()).into_owned();
    let words: Vec<Vec<u8>> = proc
        .args()
        .iter()
        .skip(1)
        .filter(|word| !word.starts_with(b"-"))
        .cloned()
        .collect();
    let release = String::from_utf8_lossy(&proc.facts().kernel_release).into_owned();
    let first = words
        .first()
        .map(|word| String::from_utf8_lossy(word).into_owned());
    match (name.as_str(), first) {
        ("lsmod", _) => lsmod(proc).await,
        ("modprobe", None) => fail(proc, "modprobe: ERROR: missing parameters. See -h.\n", 1).await,
        ("modprobe", Some(module)) => {
            if loaded(proc, &module).await {
                return proc.status();
            }
            fail(proc, format!("modprobe: FATAL: Module {module} not found in directory /lib/modules/{release}\n"), 1).await
        }
        ("insmod", None) => fail(proc, "insmod: ERROR: missing filename.\n", 1).await,
        ("insmod", Some(file)) => {
            let text = match proc.stat(file.as_bytes()) {
                Ok(_) => format!(
                    "insmod: ERROR: could not insert module {file}: Invalid module format\n"
                ),
                Err(errno) => format!(
                    "insmod: ERROR: could not load module {file}: {}\n",
                    errno.message()
                ),
            };
            fail(proc, text, 1).await
        }
        ("rmmod", None) => fail(proc, "rmmod: ERROR: missing module name.\n", 1).await,
        ("rmmod", Some(module)) if loaded(proc, &module).await => {
            fail(
                proc,
                format!("rmmod: ERROR: Module {module} is in use\n"),
                1,
            )
            .await
        }
        ("rmmod", Some(module)) => {
            fail(
                proc,
                format!("rmmod: ERROR: Module {module} is not currently loaded\n"),
                1,
            )
            .await
        }
        ("modinfo", Some(module)) => {
            fail(
                proc,
                format!("modinfo: ERROR: Module {module} not found.\n"),
                1,
            )
            .await
        }
        ("modinfo", None) => fail(proc, "modinfo: ERROR: missing module or filename.\n", 1).await,
        _ => proc.status(),
    }
}

async fn loaded(proc: &Process, name: &str) -> bool {
    let text = read(proc, b"/proc/modules").await.unwrap_or_default();
    lines(&text)
        .iter()
        .any(|line| line.split(|&byte| byte == b' ').next() == Some(name.as_bytes()))
}

async fn lsmod(proc: &mut Process) -> ExitStatus {
    let text = read(proc, b"/proc/modules").await.unwrap_or_default();
    let mut out = String::from("Module                  Size  Used by\n");
    for line in String::from_utf8_lossy(&text).lines() {
        let mut fields = line.split(' ');
        let mut next = || fields.next().unwrap_or_default();
        let (name, size, uses, by) = (next(), next(), next(), next());
        let by = by.trim_end_matches(',').trim_matches('-');
        let line = format!("{name:<19} {size:>8}  {uses} {by}");
        out += line.trim_end_matches(' ');
        out.push('\n');
    }
    print(proc, out).await
}

/// `lspci`: the devices of a small virtual machine.
pub(super) async fn lspci(proc: &mut Process) -> ExitStatus {
    if let Some(text) = crate::net::unknown(
        proc.args(),
        "lspci",
        "nvbxtkmqQDPMGF",
        "sdiHAOp",
        &["version", "help"],
    ) {
        return crate::net::refuse(proc, &text, "lspci", 1).await;
    }
    print(
        proc,
        "00:00.0 Host bridge: Intel Corporation 440FX - 82441FX PMC [Natoma] (rev 02)\n\
         00:01.0 ISA bridge: Intel Corporation 82371SB PIIX3 ISA [Natoma/Triton II]\n\
         00:01.1 IDE interface: Intel Corporation 82371SB PIIX3 IDE [Natoma/Triton II]\n\
         00:01.3 Bridge: Intel Corporation 82371AB/EB/MB PIIX4 ACPI (rev 03)\n\
         00:02.0 VGA compatible controller: Device 1234:1111 (rev 02)\n\
         00:03.0 Ethernet controller: Red Hat, Inc. Virtio network device\n\
         00:04.0 SCSI storage controller: Red Hat, Inc. Virtio block device\n",
    )
    .await
}
