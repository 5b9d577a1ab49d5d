//! `update-alternatives`: which of several programs a name means. Its files in
//! `/var/lib/dpkg/alternatives` are read and written as dpkg does.

use sundew_kernel::{ExitStatus, Process};

use super::cli;

/// Where the groups are.
const GROUPS: &str = "/var/lib/dpkg/alternatives";
/// Where the links point through.
const LINKS: &str = "/etc/alternatives";
/// The groups of a fresh machine, `=== NAME` before each.
const FRESH: &str = include_str!("alternatives.txt");

/// One file that can stand behind the name.
#[derive(Debug, Clone)]
struct Choice {
    path: String,
    priority: i64,
    /// What stands behind the slaves, in their order; empty for nothing.
    slaves: Vec<String>,
}

/// One name.
#[derive(Debug, Clone, Default)]
struct Group {
    name: String,
    manual: bool,
    link: String,
    /// Names and links that go with it.
    slaves: Vec<(String, String)>,
    choices: Vec<Choice>,
}

impl Group {
    fn parse(name: &str, text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let manual = lines.next()? == "manual";
        let link = lines.next()?.to_owned();
        let mut slaves = Vec::new();
        loop {
            let slave = lines.next()?;
            if slave.is_empty() {
                break;
            }
            slaves.push((slave.to_owned(), lines.next()?.to_owned()));
        }
        let mut choices = Vec::new();
        while let Some(path) = lines.next().filter(|path| !path.is_empty()) {
            let priority = lines.next()?.parse().ok()?;
            let paths = slaves
                .iter()
                .map(|_| lines.next().unwrap_or_default().to_owned());
            choices.push(Choice {
                path: path.to_owned(),
                priority,
                slaves: paths.collect(),
            });
        }
        Some(Self {
            name: name.to_owned(),
            manual,
            link,
            slaves,
            choices,
        })
    }

    fn text(&self) -> String {
        let mut out = format!("{}\n{}\n", self.status(), self.link);
        for (name, link) in &self.slaves {
            out.push_str(&format!("{name}\n{link}\n"));
        }
        out.push('\n');
        for choice in &self.choices {
            out.push_str(&format!("{}\n{}\n", choice.path, choice.priority));
            for path in &choice.slaves {
                out.push_str(&format!("{path}\n"));
            }
        }
        out.push('\n');
        out
    }

    fn status(&self) -> &'static str {
        if self.manual { "manual" } else { "auto" }
    }

    fn best(&self) -> Option<&Choice> {
        let mut best: Option<&Choice> = None;
        for choice in &self.choices {
            if best.is_none_or(|best| choice.priority > best.priority) {
                best = Some(choice);
            }
        }
        best
    }

    fn current(&self, proc: &Process) -> Option<String> {
        let path = format!("{LINKS}/{}", self.name);
        proc.read_link(path.as_bytes())
            .ok()
            .map(|target| super::text(&target))
    }

    /// Slaves in the order of their names, as they are shown.
    fn sorted_slaves(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.slaves.len()).collect();
        order.sort_by_key(|&at| self.slaves.get(at).map(|slave| slave.0.clone()));
        order
    }

    fn display(&self, proc: &Process) -> String {
        let mut out = format!("{} - {} mode\n", self.name, self.status());
        match self.best() {
            Some(best) => out.push_str(&format!("  link best version is {}\n", best.path)),
            None => out.push_str("  link best version not available\n"),
        }
        match self.current(proc) {
            Some(path) => out.push_str(&format!("  link currently points to {path}\n")),
            None => out.push_str("  link currently absent\n"),
        }
        out.push_str(&format!("  link {} is {}\n", self.name, self.link));
        let order = self.sorted_slaves();
        for &at in &order {
            if let Some((name, link)) = self.slaves.get(at) {
                out.push_str(&format!("  slave {name} is {link}\n"));
            }
        }
        for choice in &self.choices {
            out.push_str(&format!("{} - priority {}\n", choice.path, choice.priority));
            for &at in &order {
                if let (Some((name, _)), Some(path)) = (self.slaves.get(at), choice.slaves.get(at))
                    && !path.is_empty()
                {
                    out.push_str(&format!("  slave {name}: {path}\n"));
                }
            }
        }
        out
    }

    fn query(&self, proc: &Process) -> String {
        let mut out = format!("Name: {}\nLink: {}\n", self.name, self.link);
        let order = self.sorted_slaves();
        if !order.is_empty() {
            out.push_str("Slaves:\n");
        }
        for &at in &order {
            if let Some((name, link)) = self.slaves.get(at) {
                out.push_str(&format!(" {name} {link}\n"));
            }
        }
        out.push_str(&format!("Status: {}\n", self.status()));
        if let Some(best) = self.best() {
            out.push_str(&format!("Best: {}\n", best.path));
        }
        let value = self.current(proc).unwrap_or_else(|| "none".to_owned());
        out.push_str(&format!("Value: {value}\n"));
        for choice in &self.choices {
            out.push_str(&format!(
                "\nAlternative: {}\nPriority: {}\n",
                choice.path, choice.priority
            ));
            let mut rows = String::new();
            for &at in &order {
                if let (Some((name, _)), Some(path)) = (self.slaves.get(at), choice.slaves.get(at))
                    && !path.is_empty()
                {
                    rows.push_str(&format!(" {name} {path}\n"));
                }
            }
            if !rows.is_empty() {
                out.push_str(&format!("Slaves:\n{rows}"));
            }
        }
        out
    }
}

async fn load(proc: &Process, name: &str) -> Option<Group> {
    let path = format!("{GROUPS}/{name}");
    let text = super::read(proc, path.as_bytes()).await.ok()?;
    let text = super::text(&text);
    if text.trim().is_empty() {
        // As the packages left it.
        let fresh = FRESH
            .split("=== ")
            .find_map(|section| section.strip_prefix(name)?.strip_prefix('\n'));
        return Group::parse(name, fresh?);
    }
    Group::parse(name, &text)
}

async fn error(proc: &mut Process, text: &str) -> ExitStatus {
    super::fail(proc, format!("update-alternatives: error: {text}\n"), 2).await
}

async fn refuse(proc: &mut Process, text: &str) -> ExitStatus {
    let text = format!(
        "update-alternatives: {text}\n\nUse 'update-alternatives --help' for program usage information.\n"
    );
    super::fail(proc, text, 2).await
}

/// Makes a link anew; whether that was allowed.
async fn link(proc: &mut Process, target: &str, path: &str) -> bool {
    let temporary = format!("{path}.dpkg-tmp");
    // A leftover of an earlier run.
    let _gone = proc.unlink(temporary.as_bytes());
    let done = proc
        .symlink(target.as_bytes(), temporary.as_bytes())
        .and_then(|()| proc.rename(temporary.as_bytes(), path.as_bytes()));
    if let Err(errno) = done {
        let text = format!(
            "unable to make symlink '{temporary}' to '{target}': {}",
            errno.message()
        );
        error(proc, &text).await;
        return false;
    }
    true
}

/// Points the links to a choice, and says so if that is news.
async fn select(proc: &mut Process, group: &Group, choice: &Choice, quiet: bool) -> bool {
    if group.current(proc).as_ref() != Some(&choice.path) && !quiet {
        let text = format!(
            "update-alternatives: using {} to provide {} ({}) in {} mode\n",
            choice.path,
            group.link,
            group.name,
            group.status()
        );
        super::put(proc, text).await;
    }
    let through = format!("{LINKS}/{}", group.name);
    if !link(proc, &choice.path, &through).await {
        return false;
    }
    if proc.read_link(group.link.as_bytes()).ok().as_deref() != Some(through.as_bytes())
        && !link(proc, &through, &group.link).await
    {
        return false;
    }
    for ((name, place), path) in group.slaves.iter().zip(&choice.slaves) {
        let through = format!("{LINKS}/{name}");
        if path.is_empty() || proc.stat(path.as_bytes()).is_err() {
            let _gone = proc.unlink(through.as_bytes());
            continue;
        }
        if !link(proc, path, &through).await || !link(proc, &through, place).await {
            return false;
        }
    }
    true
}

async fn save(proc: &mut Process, group: &Group) -> bool {
    let path = format!("{GROUPS}/{}", group.name);
    if let Err(errno) = super::write(proc, path.as_bytes(), group.text().as_bytes(), 0o644).await {
        let text = format!(
            "unable to create file '{path}.dpkg-tmp': {}",
            errno.message()
        );
        error(proc, &text).await;
        return false;
    }
    true
}

async fn names(proc: &Process) -> Vec<String> {
    let entries = proc.read_directory(GROUPS.as_bytes()).unwrap_or_default();
    let names = entries.iter().map(|entry| super::text(&entry.name));
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each command, in the order of the manual"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    const VERBS: &[(&str, usize)] = &[
        ("--display", 1),
        ("--query", 1),
        ("--list", 1),
        ("--get-selections", 0),
        ("--config", 1),
        ("--set", 2),
        ("--set-selections", 0),
        ("--install", 4),
        ("--remove", 2),
        ("--all", 0),
        ("--remove-all", 1),
        ("--auto", 1),
    ];
    let words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| super::text(word))
        .collect();
    let mut words = words.into_iter();
    let mut verb: Option<(String, Vec<String>)> = None;
    let (mut slaves, mut quiet, mut force) = (Vec::new(), false, false);
    while let Some(word) = words.next() {
        if let Some((name, count)) = VERBS.iter().find(|row| row.0 == word) {
            if let Some((earlier, _)) = &verb {
                return refuse(
                    proc,
                    &format!("two commands specified: {name} and {earlier}"),
                )
                .await;
            }
            let args: Vec<String> = words.by_ref().take(*count).collect();
            if args.len() < *count {
                let text = match *name {
                    "--install" => "--install needs <link> <name> <path> <priority>".to_owned(),
                    "--set" | "--remove" => format!("{name} needs <name> <path>"),
                    name => format!("{name} needs <name>"),
                };
                return refuse(proc, &text).await;
            }
            verb = Some((word, args));
            continue;
        }
        match word.as_str() {
            "--help" => return super::put(proc, cli::section("update-alternatives")).await,
            "--version" => {
                return super::put(proc, cli::section("update-alternatives version")).await;
            }
            "--slave" => {
                let args: Vec<String> = words.by_ref().take(3).collect();
                match <[String; 3]>::try_from(args) {
                    Ok(slave) => slaves.push(slave),
                    Err(_) => return refuse(proc, "--slave needs <link> <name> <path>").await,
                }
            }
            "--quiet" => quiet = true,
            "--force" => force = true,
            "--verbose" | "--debug" | "--skip-auto" => {}
            "--altdir" | "--admindir" | "--instdir" | "--root" | "--log" => {
                words.next();
            }
            word => return refuse(proc, &format!("unknown option '{word}'")).await,
        }
    }
    let Some((verb, args)) = verb else {
        return refuse(proc, "need --display, --query, --list, --get-selections, --config, --set, --set-selections, --install, --remove, --all, --remove-all or --auto").await;
    };
    let mut args = args.into_iter();
    match verb.as_str() {
        "--get-selections" => {
            let mut out = String::new();
            for name in names(proc).await {
                if let Some(group) = load(proc, &name).await {
                    let current = group.current(proc).unwrap_or_default();
                    out.push_str(&format!("{name:<30} {:<8} {current}\n", group.status()));
                }
            }
            return super::put(proc, out).await;
        }
        "--set-selections" => return proc.status(),
        "--all" => {
            for name in names(proc).await {
                if let Some(group) = load(proc, &name).await {
                    let status = configure(proc, group, quiet).await;
                    if status != ExitStatus::SUCCESS {
                        return status;
                    }
                }
            }
            return proc.status();
        }
        "--install" => {
            let mut next = || args.next().unwrap_or_default();
            let (place, name, path, priority) = (next(), next(), next(), next());
            return install(proc, [place, name, path, priority], &slaves, quiet, force).await;
        }
        _ => {}
    }
    let name = args.next().unwrap_or_default();
    let Some(mut group) = load(proc, &name).await else {
        if verb == "--remove-all" && force {
            return proc.status();
        }
        return error(proc, &format!("no alternatives for {name}")).await;
    };
    match verb.as_str() {
        "--display" => {
            let out = group.display(proc);
            super::put(proc, out).await
        }
        "--query" => {
            let out = group.query(proc);
            super::put(proc, out).await
        }
        "--list" => {
            let rows = group
                .choices
                .iter()
                .map(|choice| format!("{}\n", choice.path));
            super::put(proc, rows.collect::<String>()).await
        }
        "--config" => configure(proc, group, quiet).await,
        "--auto" => {
            group.manual = false;
            store(proc, &group, quiet).await
        }
        "--set" => {
            let path = args.next().unwrap_or_default();
            let Some(choice) = group
                .choices
                .iter()
                .find(|choice| choice.path == path)
                .cloned()
            else {
                let text = format!("alternative {path} for {name} not registered; not setting");
                return error(proc, &text).await;
            };
            group.manual = true;
            if select(proc, &group, &choice, quiet).await {
                save(proc, &group).await;
            }
            proc.status()
        }
        "--remove" => {
            let path = args.next().unwrap_or_default();
            let before = group.choices.len();
            let was_current = group.current(proc).as_deref() == Some(path.as_str());
            group.choices.retain(|choice| choice.path != path);
            if group.choices.len() == before {
                return proc.status();
            }
            if was_current && group.manual {
                let text = format!(
                    "update-alternatives: removing manually selected alternative - switching {name} to auto mode\n"
                );
                super::put(proc, text).await;
                group.manual = false;
            }
            store(proc, &group, quiet).await
        }
        _ => {
            group.choices.clear();
            store(proc, &group, quiet).await
        }
    }
}

/// Writes a group back: its links follow the best choice unless somebody chose; without choices it goes.
async fn store(proc: &mut Process, group: &Group, quiet: bool) -> ExitStatus {
    let Some(best) = group.best().cloned() else {
        for path in [
            group.link.clone(),
            format!("{LINKS}/{}", group.name),
            format!("{GROUPS}/{}", group.name),
        ] {
            if let Err(errno) = proc.unlink(path.as_bytes())
                && errno != sundew_kernel::Errno::Enoent
            {
                let text = format!("unable to remove '{path}': {}", errno.message());
                return error(proc, &text).await;
            }
        }
        for (name, place) in &group.slaves {
            let _gone = proc.unlink(place.as_bytes());
            let _gone = proc.unlink(format!("{LINKS}/{name}").as_bytes());
        }
        return proc.status();
    };
    if (group.manual && group.current(proc).is_some()) || select(proc, group, &best, quiet).await {
        save(proc, group).await;
    }
    proc.status()
}

async fn install(
    proc: &mut Process,
    [place, name, path, priority]: [String; 4],
    slaves: &[[String; 3]],
    quiet: bool,
    force: bool,
) -> ExitStatus {
    let Ok(priority) = priority.parse::<i64>() else {
        return refuse(proc, "priority must be an integer").await;
    };
    if !place.starts_with('/') {
        let text = format!("alternative link is not absolute as it should be: {place}");
        return error(proc, &text).await;
    }
    if !path.starts_with('/') {
        let text = format!("alternative path is not absolute as it should be: {path}");
        return error(proc, &text).await;
    }
    if name.contains(['/', ' ', '\t']) {
        let text = format!("alternative name ({name}) must not contain '/' and spaces");
        return error(proc, &text).await;
    }
    if proc.stat(path.as_bytes()).is_err() {
        return error(proc, &format!("alternative path {path} doesn't exist")).await;
    }
    let known = load(proc, &name).await;
    let mut group = known.unwrap_or_else(|| Group {
        name: name.clone(),
        ..Group::default()
    });
    let taken = proc
        .lstat(place.as_bytes())
        .is_ok_and(|metadata| metadata.is_regular());
    if taken && !force {
        let text = format!("update-alternatives: warning: not replacing {place} with a link\n");
        proc.print_error(text.as_bytes()).await;
        return proc.status();
    }
    group.link = place;
    for [place, name, _] in slaves {
        if !group.slaves.iter().any(|slave| slave.0 == *name) {
            group.slaves.push((name.clone(), place.clone()));
            for choice in &mut group.choices {
                choice.slaves.push(String::new());
            }
        }
    }
    let paths = group.slaves.iter().map(|(name, _)| {
        let slave = slaves.iter().find(|slave| slave[1] == *name);
        slave.map_or_else(String::new, |slave| slave[2].clone())
    });
    let choice = Choice {
        path: path.clone(),
        priority,
        slaves: paths.collect(),
    };
    match group.choices.iter_mut().find(|known| known.path == path) {
        Some(known) => *known = choice,
        None => group.choices.push(choice),
    }
    group.choices.sort_by(|a, b| a.path.cmp(&b.path));
    store(proc, &group, quiet).await
}

/// Asks which one it shall be.
#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
async fn configure(proc: &mut Process, mut group: Group, quiet: bool) -> ExitStatus {
    let count = group.choices.len();
    let current = group.current(proc);
    let Some(best) = group.best().cloned() else {
        return super::put(
            proc,
            format!(
                "There is no program which provides {}.\nNothing to configure.\n",
                group.name
            ),
        )
        .await;
    };
    if count == 1 && current.as_ref() == Some(&best.path) && !group.manual && proc.is_terminal(0) {
        let text = format!(
            "There is only one alternative in link group {} (providing {}): {}\nNothing to configure.\n",
            group.name, group.link, best.path
        );
        return super::put(proc, text).await;
    }
    let (verb, plural) = if count == 1 {
        ("is", "choice")
    } else {
        ("are", "choices")
    };
    let width = group
        .choices
        .iter()
        .map(|choice| choice.path.len())
        .max()
        .unwrap_or(0);
    let mut out = format!(
        "There {verb} {count} {plural} for the alternative {} (providing {}).\n\n  {:<12} {:<width$} {:>10}   Status\n{}\n",
        group.name,
        group.link,
        "Selection",
        "Path",
        "Priority",
        "-".repeat(60)
    );
    let row = |mark: bool, number: usize, choice: &Choice, mode: &str| {
        let mark = if mark { '*' } else { ' ' };
        format!(
            "{mark} {number:<12} {:<width$}  {:<10} {mode} mode\n",
            choice.path, choice.priority
        )
    };
    out.push_str(&row(!group.manual, 0, &best, "auto"));
    for (at, choice) in group.choices.iter().enumerate() {
        let chosen = group.manual && current.as_ref() == Some(&choice.path);
        out.push_str(&row(chosen, at + 1, choice, "manual"));
    }
    out.push_str("\nPress <enter> to keep the current choice[*], or type selection number: ");
    super::put(proc, out).await;
    let _flushed = proc.flush().await;
    let mut lines = sundew_kernel::process::LineReader::new(proc, sundew_kernel::STDIN);
    let Ok(Some(answer)) = lines.next(proc, b'\n').await else {
        return proc.status();
    };
    let answer = super::text(answer.trim_ascii());
    if answer.is_empty() {
        return proc.status();
    }
    let number = answer.parse::<usize>().ok();
    let choice = match number {
        Some(0) => Some(best),
        Some(number) => group.choices.get(number - 1).cloned(),
        None => group
            .choices
            .iter()
            .find(|choice| choice.path == answer)
            .cloned(),
    };
    let Some(choice) = choice else {
        return error(proc, "invalid selection").await;
    };
    group.manual = number != Some(0);
    if select(proc, &group, &choice, quiet).await {
        save(proc, &group).await;
    }
    proc.status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_written_as_it_was_read() {
        let text = "auto\n/usr/bin/awk\nnawk\n/usr/bin/nawk\n\n/usr/bin/mawk\n5\n/usr/bin/mawk\n\n";
        let group = Group::parse("awk", text);
        assert_eq!(group.map(|group| group.text()).as_deref(), Some(text));
        assert!(Group::parse("awk", "auto\n").is_none());
    }
}
