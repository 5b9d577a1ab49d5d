//! `lscpu`: the processor, from the machine's facts.

use sundew_kernel::{ExitStatus, Process};

/// Column of the values: the longest label that a machine has, and a blank.
const LABEL: usize = 33;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let cpu = proc.facts().cpu.clone();
    let machine = String::from_utf8_lossy(&proc.facts().machine).into_owned();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let list = match cpu.count {
        0 | 1 => "0".to_owned(),
        2 => "0,1".to_owned(),
        count => format!("0-{}", count - 1),
    };
    let (whole, hundredths) = (
        u64::from(cpu.khz) * 2 / 1000,
        u64::from(cpu.khz) * 2 % 1000 / 10,
    );
    let instances = |count: u32| {
        if count == 1 {
            "1 instance".to_owned()
        } else {
            format!("{count} instances")
        }
    };
    let kib = |size: u32, count: u32| {
        let total = size.saturating_mul(count);
        if total >= 1024 {
            let tenths = (u64::from(total) * 10 + 512) / 1024;
            let shown = if tenths % 10 == 0 {
                format!("{}", tenths / 10)
            } else {
                format!("{}.{}", tenths / 10, tenths % 10)
            };
            format!("{shown} MiB ({})", instances(count))
        } else {
            format!("{total} KiB ({})", instances(count))
        }
    };
    let flags = text(&cpu.flags);
    let mut rows: Vec<(String, String)> = vec![
        ("Architecture".into(), machine),
        ("CPU op-mode(s)".into(), "32-bit, 64-bit".into()),
        (
            "Address sizes".into(),
            "46 bits physical, 48 bits virtual".into(),
        ),
        ("Byte Order".into(), "Little Endian".into()),
        ("CPU(s)".into(), cpu.count.to_string()),
        ("On-line CPU(s) list".into(), list.clone()),
        ("Vendor ID".into(), text(&cpu.vendor)),
        ("Model name".into(), text(&cpu.model_name)),
        ("CPU family".into(), cpu.family.to_string()),
        ("Model".into(), cpu.model.to_string()),
        ("Thread(s) per core".into(), "1".into()),
        ("Core(s) per socket".into(), cpu.count.to_string()),
        ("Socket(s)".into(), "1".into()),
        ("Stepping".into(), cpu.stepping.to_string()),
        ("BogoMIPS".into(), format!("{whole}.{hundredths:02}")),
        ("Flags".into(), flags.clone()),
    ];
    if flags.split(' ').any(|flag| flag == "hypervisor") {
        rows.push(("Hypervisor vendor".into(), "KVM".into()));
        rows.push(("Virtualization type".into(), "full".into()));
    }
    rows.push(("L1d cache".into(), kib(32, cpu.count)));
    rows.push(("L1i cache".into(), kib(32, cpu.count)));
    rows.push(("L2 cache".into(), kib(1024, cpu.count)));
    rows.push(("L3 cache".into(), kib(cpu.cache_kib, 1)));
    rows.push(("NUMA node(s)".into(), "1".into()));
    rows.push(("NUMA node0 CPU(s)".into(), list));
    for (label, value) in rows {
        let line = format!("{:<LABEL$}{value}\n", format!("{label}:"));
        if proc.print(line.as_bytes()).await.is_err() {
            break;
        }
    }
    proc.status()
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn the_processor_is_the_machines() {
        let (out, _, status) = run(&["lscpu"], b"");
        assert!(
            out.contains(
                "Model name:                      Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz\n"
            ),
            "{out}"
        );
        assert!(out.contains("CPU(s):                          2\n"));
        assert_eq!(status, 0);
    }
}
