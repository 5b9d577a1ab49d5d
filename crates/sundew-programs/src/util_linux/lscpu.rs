//! `lscpu` of util-linux 2.38.1: the processor, from the machine's facts.

use sundew_kernel::facts::Cpu;
use sundew_kernel::{ExitStatus, Process};

use super::table::{Column, Style, Table, left, number, right};
use crate::getopt::{Arity, Getopt, Opt, Spec};

const SPEC: Spec = Spec::new(
    "aBbC::ce::hJp::s:xyV",
    &[
        ("all", Arity::No, "a"),
        ("online", Arity::No, "b"),
        ("bytes", Arity::No, "B"),
        ("caches", Arity::Optional, "C"),
        ("offline", Arity::No, "c"),
        ("extended", Arity::Optional, "e"),
        ("json", Arity::No, "J"),
        ("parse", Arity::Optional, "p"),
        ("sysroot", Arity::Required, "s"),
        ("physical", Arity::No, "y"),
        ("hex", Arity::No, "x"),
        ("output-all", Arity::No, "output-all"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// Column of the values: the longest label that a machine has, and a blank.
const LABEL: usize = 33;

/// Columns of `-e` and `-p`, in the order in which all of them are shown.
const CPUS: &[Column] = &[
    right("BOGOMIPS").hidden(),
    number("CPU"),
    number("CORE"),
    number("SOCKET"),
    right("CLUSTER").hidden(),
    number("NODE"),
    right("BOOK").hidden(),
    right("DRAWER").hidden(),
    left("L1d:L1i:L2:L3"),
    left("POLARIZATION").hidden(),
    left("ADDRESS").hidden(),
    left("CONFIGURED").hidden(),
    right("ONLINE"),
    right("MHZ").hidden(),
    right("SCALMHZ%").hidden(),
    right("MAXMHZ").hidden(),
    right("MINMHZ").hidden(),
];

/// What `-e` shows unless others are asked for: indices into [`CPUS`].
const EXTENDED: [usize; 6] = [1, 5, 3, 2, 8, 12];

/// Columns of `-C`.
const CACHES: &[Column] = &[
    left("NAME"),
    right("ONE-SIZE"),
    right("ALL-SIZE"),
    number("WAYS"),
    left("TYPE"),
    number("LEVEL"),
    number("SETS"),
    number("PHY-LINE"),
    number("COHERENCY-SIZE"),
];

/// What is shown.
enum View {
    Summary,
    Extended(Vec<u8>),
    Parsable(Vec<u8>),
    Caches(Vec<u8>),
}

/// What the command line asks for.
struct Request {
    view: View,
    json: bool,
    hex: bool,
    bytes: bool,
    all_columns: bool,
    offline: bool,
}

/// `lscpu`.
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut request = Request {
        view: View::Summary,
        json: false,
        hex: false,
        bytes: false,
        all_columns: false,
        offline: false,
    };
    let (mut views, mut which) = (Vec::new(), Vec::new());
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let Opt { key, value, .. } = match option {
            Ok(option) => option,
            Err(error) => return super::refuse(proc, &error).await,
        };
        let (among, words) = match key {
            "C" | "e" | "p" => (
                Some(&mut views),
                "mutually exclusive arguments: --caches --extended --parse",
            ),
            "a" | "b" | "c" => (
                Some(&mut which),
                "mutually exclusive arguments: --all --online --offline",
            ),
            _ => (None, ""),
        };
        if let Some(among) = among {
            if !among.contains(&key) {
                among.push(key);
            }
            if among.len() > 1 {
                return super::fail(proc, words).await;
            }
        }
        let list = value.strip_prefix(b"=").unwrap_or(&value).to_vec();
        match key {
            "h" => return super::help(proc, "lscpu").await,
            "V" => return super::version(proc).await,
            "e" => request.view = View::Extended(list),
            "p" => request.view = View::Parsable(list),
            "C" => request.view = View::Caches(list),
            "J" => request.json = true,
            "x" => request.hex = true,
            "B" => request.bytes = true,
            "c" => request.offline = true,
            "output-all" => request.all_columns = true,
            "s" => {
                // Nothing below another root describes processors.
                let text = [
                    b"failed to determine number of CPUs: ".as_slice(),
                    value.trim_ascii_end(),
                    b"/sys/devices/system/cpu/possible: ",
                    sundew_kernel::Errno::Enoent.message().as_bytes(),
                ]
                .concat();
                return super::fail(proc, text).await;
            }
            _ => {}
        }
    }
    if !options.operands().is_empty() {
        return super::bad_usage(proc).await;
    }
    if !which.is_empty() && !matches!(request.view, View::Extended(_) | View::Parsable(_)) {
        let text = "options --all, --online and --offline may only be used with options --extended or --parse.";
        return super::fail(proc, text).await;
    }
    match &request.view {
        View::Summary => summary(proc, &request).await,
        View::Caches(list) => caches(proc, &request, list).await,
        View::Extended(list) | View::Parsable(list) => processors(proc, &request, list).await,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Bogomips: twice the clock rate.
fn bogomips(cpu: &Cpu) -> String {
    let twice = u64::from(cpu.khz) * 2;
    format!("{}.{:02}", twice / 1000, twice % 1000 / 10)
}

/// One kind of cache.
struct Cache {
    name: &'static str,
    kib: u32,
    instances: u32,
    ways: u32,
    kind: &'static str,
    level: u32,
}

fn all_caches(cpu: &Cpu) -> [Cache; 4] {
    let cache = |name, kib, instances, ways, kind, level| Cache {
        name,
        kib,
        instances,
        ways,
        kind,
        level,
    };
    [
        cache("L1d", 32, cpu.count, 8, "Data", 1),
        cache("L1i", 32, cpu.count, 8, "Instruction", 1),
        cache("L2", 1024, cpu.count, 16, "Unified", 2),
        cache("L3", cpu.cache_kib, 1, 16, "Unified", 3),
    ]
}

/// A size with one digit behind the point where there is something to show.
fn size(kib: u32, (kilo, mega): (&str, &str)) -> String {
    if kib < 1024 {
        return format!("{kib}{kilo}");
    }
    let tenths = (u64::from(kib) * 10 + 512) / 1024;
    if tenths % 10 == 0 {
        format!("{}{mega}", tenths / 10)
    } else {
        format!("{}.{}{mega}", tenths / 10, tenths % 10)
    }
}

async fn summary(proc: &mut Process, request: &Request) -> ExitStatus {
    let rows = summary_rows(proc, request);
    let out = if request.json {
        let fields: Vec<String> = rows
            .iter()
            .map(|(label, value)| {
                let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                format!("{{\n         \"field\": \"{label}:\",\n         \"data\": \"{value}\"\n      }}")
            })
            .collect();
        format!(
            "{{\n   \"lscpu\": [\n      {}\n   ]\n}}\n",
            fields.join(",")
        )
    } else {
        let lines = rows
            .iter()
            .map(|(label, value)| format!("{:<LABEL$}{value}\n", format!("{label}:")));
        lines.collect()
    };
    super::put(proc, out).await
}

fn summary_rows(proc: &Process, request: &Request) -> Vec<(&'static str, String)> {
    let cpu = &proc.facts().cpu;
    let list = match cpu.count {
        0 | 1 => "0".to_owned(),
        2 => "0,1".to_owned(),
        count => format!("0-{}", count - 1),
    };
    let mask = format!("{:x}", (1_u128 << cpu.count.min(127)) - 1);
    let (online, node, shown) = if request.hex {
        ("On-line CPU(s) mask", "NUMA node0 CPU(s)", mask)
    } else {
        ("On-line CPU(s) list", "NUMA node0 CPU(s)", list)
    };
    let flags = text(&cpu.flags);
    let mut rows: Vec<(&'static str, String)> = vec![
        ("Architecture", text(&proc.facts().machine)),
        ("CPU op-mode(s)", "32-bit, 64-bit".into()),
        ("Address sizes", "46 bits physical, 48 bits virtual".into()),
        ("Byte Order", "Little Endian".into()),
        ("CPU(s)", cpu.count.to_string()),
        (online, shown.clone()),
        ("Vendor ID", text(&cpu.vendor)),
        ("Model name", text(&cpu.model_name)),
        ("CPU family", cpu.family.to_string()),
        ("Model", cpu.model.to_string()),
        ("Thread(s) per core", "1".into()),
        ("Core(s) per socket", cpu.count.to_string()),
        ("Socket(s)", "1".into()),
        ("Stepping", cpu.stepping.to_string()),
        ("BogoMIPS", bogomips(cpu)),
        ("Flags", flags.clone()),
    ];
    if flags.split(' ').any(|flag| flag == "hypervisor") {
        rows.push(("Hypervisor vendor", "KVM".into()));
        rows.push(("Virtualization type", "full".into()));
    }
    for (cache, label) in
        all_caches(cpu)
            .iter()
            .zip(["L1d cache", "L1i cache", "L2 cache", "L3 cache"])
    {
        let total = cache.kib.saturating_mul(cache.instances);
        let total = if request.bytes {
            (u64::from(total) * 1024).to_string()
        } else {
            size(total, (" KiB", " MiB"))
        };
        let plural = if cache.instances == 1 { "" } else { "s" };
        rows.push((
            label,
            format!("{total} ({} instance{plural})", cache.instances),
        ));
    }
    rows.push(("NUMA node(s)", "1".into()));
    rows.push((node, shown));
    rows
}

async fn caches(proc: &mut Process, request: &Request, list: &[u8]) -> ExitStatus {
    let mut table = Table::new("caches", CACHES);
    if !list.is_empty()
        && let Err(name) = table.select(list)
    {
        return super::unknown_column(proc, &name).await;
    }
    for cache in all_caches(&proc.facts().cpu) {
        let total = cache.kib.saturating_mul(cache.instances);
        let shown = |kib: u32| {
            if request.bytes {
                (u64::from(kib) * 1024).to_string()
            } else {
                size(kib, ("K", "M"))
            }
        };
        table.rows.push(vec![
            cache.name.to_owned(),
            shown(cache.kib),
            shown(total),
            cache.ways.to_string(),
            cache.kind.to_owned(),
            cache.level.to_string(),
            (cache.kib * 16 / cache.ways).to_string(),
            "1".to_owned(),
            "64".to_owned(),
        ]);
    }
    if request.json {
        table.style = Style::Json;
    }
    table.print(proc).await
}

/// Names of columns in the heading of `-p`.
const PARSABLE: [&str; 17] = [
    "BOGOMIPS",
    "CPU",
    "Core",
    "Socket",
    "Cluster",
    "Node",
    "Book",
    "DRAWER",
    "L1d:L1i:L2:L3",
    "Polarization",
    "Address",
    "Configured",
    "Online",
    "Mhz",
    "SCALMHZ%",
    "Maxmhz",
    "Minmhz",
];

async fn processors(proc: &mut Process, request: &Request, list: &[u8]) -> ExitStatus {
    let parsable = matches!(request.view, View::Parsable(_));
    let mut table = Table::new("cpus", CPUS);
    if request.all_columns {
        table.shown = (0..CPUS.len()).collect();
    } else if list.is_empty() {
        table.shown = EXTENDED.to_vec();
    } else {
        // The caches' column goes by a shorter name too.
        let names: Vec<&[u8]> = list
            .split(|&byte| byte == b',')
            .map(|name| {
                if name.eq_ignore_ascii_case(b"cache") {
                    b"L1d:L1i:L2:L3"
                } else {
                    name
                }
            })
            .collect();
        if let Err(name) = table.select(&names.join(&b',')) {
            return super::unknown_column(proc, &name).await;
        }
    }
    let cpu = proc.facts().cpu.clone();
    let none = if parsable { "" } else { "-" };
    let online = if parsable { "Y" } else { "yes" };
    let count = if request.offline { 0 } else { cpu.count };
    for at in 0..count {
        let mhz = format!("{}.{:03}0", cpu.khz / 1000, cpu.khz % 1000);
        table.rows.push(vec![
            bogomips(&cpu),
            at.to_string(),
            at.to_string(),
            "0".to_owned(),
            none.to_owned(),
            "0".to_owned(),
            none.to_owned(),
            none.to_owned(),
            format!("{at}:{at}:{at}:0"),
            if parsable { "U" } else { "-" }.to_owned(),
            none.to_owned(),
            none.to_owned(),
            online.to_owned(),
            mhz,
            none.to_owned(),
            none.to_owned(),
            none.to_owned(),
        ]);
    }
    if !parsable {
        if request.json {
            table.style = Style::Json;
        }
        return table.print(proc).await;
    }
    super::put(
        proc,
        parsable_text(&table, !list.is_empty() || request.all_columns),
    )
    .await
}

/// `-p`: the heading that programs skip and a line for each processor.
fn parsable_text(table: &Table, chosen: bool) -> String {
    let mut out = concat!(
        "# The following is the parsable format, which can be fed to other\n",
        "# programs. Each different item in every column has an unique ID\n",
        "# starting usually from zero.\n",
    )
    .to_owned();
    if !chosen {
        out += "# CPU,Core,Socket,Node,,L1d,L1i,L2,L3\n";
        for row in &table.rows {
            let cell = |at: usize| row.get(at).map_or("", String::as_str);
            let caches = cell(8).replace(':', ",");
            out += &format!(
                "{},{},{},{},,{caches}\n",
                cell(1),
                cell(2),
                cell(3),
                cell(5)
            );
        }
        return out;
    }
    let line = |cells: Vec<&str>| cells.join(",") + "\n";
    let names = table.shown.iter().filter_map(|&at| PARSABLE.get(at));
    out += &format!("# {}", line(names.copied().collect()));
    for row in &table.rows {
        let cells = table.shown.iter().filter_map(|&at| row.get(at));
        out += &line(cells.map(String::as_str).collect());
    }
    out
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

    #[test]
    fn processors_are_listed_for_people_and_for_programs() {
        let (out, _, _) = run(&["lscpu", "-e=CPU,NODE,ONLINE"], b"");
        assert_eq!(out, "CPU NODE ONLINE\n  0    0    yes\n  1    0    yes\n");
        let (out, _, _) = run(&["lscpu", "-p"], b"");
        assert!(out.ends_with("Node,,L1d,L1i,L2,L3\n0,0,0,0,,0,0,0,0\n1,1,0,0,,1,1,1,0\n"));
        let (_, complaint, status) = run(&["lscpu", "-p=foo"], b"");
        assert_eq!(
            (complaint.as_str(), status),
            ("lscpu: unknown column: foo\n", 1)
        );
    }
}
