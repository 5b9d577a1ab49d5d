//! `systemd-cgls` and `systemd-cgtop`: control groups of the machine's processes.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::cli::{self, Order};

/// Control groups of the machine's processes, in the order of their paths.
fn groups(proc: &Process) -> Vec<(String, Vec<(u32, String)>)> {
    let mut found: Vec<(String, Vec<(u32, String)>)> = Vec::new();
    for one in proc.processes() {
        if one.kernel_thread {
            continue;
        }
        let path = format!("/proc/{}/cgroup", one.pid);
        let text = proc.read_small_file(path.as_bytes()).unwrap_or_default();
        let text = super::text(&text);
        let group = text.trim().trim_start_matches("0::").to_owned();
        let command = if one.args.is_empty() {
            format!("[{}]", super::text(&one.name))
        } else {
            super::text(&one.args.join(&b' '))
        };
        match found.iter_mut().find(|row| row.0 == group) {
            Some(row) => row.1.push((one.pid, command)),
            None => found.push((group, vec![(one.pid, command)])),
        }
    }
    found.sort();
    found
}

pub(super) async fn cgls(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "systemd-cgls", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let all = groups(proc);
    let mut out = String::new();
    if line.operands.is_empty() {
        out.push_str("Control group /:\n-.slice\n");
        tree(&all, "", "", &mut out);
    }
    for word in &line.operands {
        let name = super::text(word);
        let base = format!("/{}", name.trim_matches('/'));
        if !all
            .iter()
            .any(|row| row.0 == base || row.0.starts_with(&format!("{base}/")))
        {
            super::put(proc, out).await;
            let reason = Errno::Enoent.message();
            let text = format!("Failed to list cgroup tree: {reason}\n");
            return super::fail(proc, text, 1).await;
        }
        out.push_str(&format!("Control group {base}:\n"));
        tree(&all, &base, "", &mut out);
    }
    super::put(proc, out).await
}

/// The groups below `base`, then its processes, with lines.
pub(super) fn tree(
    all: &[(String, Vec<(u32, String)>)],
    base: &str,
    indent: &str,
    out: &mut String,
) {
    let prefix = format!("{base}/");
    let mut children: Vec<String> = Vec::new();
    for (path, _) in all {
        let Some(rest) = path.strip_prefix(&prefix) else {
            continue;
        };
        let name = rest.split('/').next().unwrap_or_default().to_owned();
        if !name.is_empty() && !children.contains(&name) {
            children.push(name);
        }
    }
    let own = all
        .iter()
        .find(|row| row.0 == base)
        .map(|row| row.1.clone());
    let own = own.unwrap_or_default();
    let width = own
        .iter()
        .map(|row| row.0.to_string().len())
        .max()
        .unwrap_or(0);
    let total = children.len() + own.len();
    let mut at = 0;
    for (pid, command) in own {
        at += 1;
        let mark = if at == total {
            "\u{2514}\u{2500}"
        } else {
            "\u{251c}\u{2500}"
        };
        out.push_str(&format!("{indent}{mark}{pid:>width$} {command}\n"));
    }
    for child in children {
        at += 1;
        let last = at == total;
        let mark = if last {
            "\u{2514}\u{2500}"
        } else {
            "\u{251c}\u{2500}"
        };
        out.push_str(&format!("{indent}{mark}{child} \n"));
        let deeper = format!("{indent}{}", if last { "  " } else { "\u{2502} " });
        tree(all, &format!("{base}/{child}"), &deeper, out);
    }
}

pub(super) async fn cgtop(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "systemd-cgtop", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let all = groups(proc);
    let mut rows: Vec<(String, usize)> = Vec::new();
    for (path, members) in &all {
        let mut at = String::new();
        let mut places = vec!["/".to_owned()];
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if !at.is_empty() {
                at.push('/');
            }
            at.push_str(part);
            places.push(at.clone());
        }
        for place in places {
            match rows.iter_mut().find(|row| row.0 == place) {
                Some(row) => row.1 += members.len(),
                None => rows.push((place, members.len())),
            }
        }
    }
    rows.sort();
    let width = rows
        .iter()
        .map(|row| row.0.len())
        .max()
        .unwrap_or(0)
        .max(13);
    let rounds: u32 = line
        .value("iterations")
        .and_then(super::number)
        .unwrap_or(1);
    for round in 0..rounds.clamp(1, 1000) {
        let mut out = format!(
            "{:<width$} {:>7} {:>6} {:>8} {:>8} {:>8}\n",
            "Control Group", "Tasks", "%CPU", "Memory", "Input/s", "Output/s"
        );
        for (path, count) in &rows {
            out.push_str(&format!(
                "{path:<width$} {count:>7} {:>6} {:>8} {:>8} {:>8}\n",
                "-", "-", "-", "-"
            ));
        }
        super::put(proc, out).await;
        if round + 1 < rounds && proc.sleep(std::time::Duration::from_secs(1)).await.is_err() {
            break;
        }
    }
    proc.status()
}
