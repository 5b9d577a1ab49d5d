//! `iptables` 1.8.9 (nf_tables), `ip6tables`, and their `-save` and `-restore`: rules are read,
//! kept by the machine and shown again. Nothing is filtered.

use sundew_kernel::{ExitStatus, Process, STDIN};

use self::rule::{Refusal, Rule};
use self::ruleset::{Chain, Ruleset};

mod rule;
mod ruleset;
mod show;

/// Status for a wrong command line.
const USAGE: u8 = 2;
/// Status for a version or permission problem.
const VERSION: u8 = 3;
/// Status when the kernel will not be asked.
const RESOURCE: u8 = 4;

/// What is to be done to the rule set.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Action {
    Append(String),
    Insert(String, usize),
    Check(String),
    Delete(String),
    DeleteNumber(String, usize),
    Replace(String, usize),
    List(Option<String>, Option<usize>),
    ListRules(Option<String>),
    Flush(Option<String>),
    Zero(Option<String>),
    NewChain(String),
    DeleteChain(Option<String>),
    Policy(String, String),
    Rename(String, String),
}

/// A command line, taken apart.
#[derive(Default)]
struct Command {
    action: Option<Action>,
    table: Option<String>,
    numeric: bool,
    verbose: bool,
    exact: bool,
    line_numbers: bool,
    version: bool,
    help: bool,
    /// What describes a rule.
    rest: Vec<String>,
}

/// Every entry point.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let name = String::from_utf8_lossy(proc.base_name()).into_owned();
    let v6 = name.starts_with("ip6");
    let words: Vec<String> = proc
        .args()
        .iter()
        .skip(1)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    if proc.credentials().uid != 0 {
        let text = format!(
            "{name} v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n"
        );
        proc.print_error(text.as_bytes()).await;
        return ExitStatus::Exited(RESOURCE);
    }
    let mut rules = Ruleset::parse(&String::from_utf8_lossy(&proc.packet_filter(v6)));
    let before = rules.to_string();
    let outcome = if name.contains("-save") {
        let only = words
            .iter()
            .position(|word| word == "-t")
            .and_then(|at| words.get(at + 1));
        Ok(show::save(&rules, &name, only, &stamp(proc)))
    } else if name.contains("-restore") {
        let keep = words
            .iter()
            .any(|word| matches!(word.as_str(), "-n" | "--noflush"));
        let input = proc.read_to_end(STDIN).await;
        let input = input.map(|(bytes, _charged)| bytes).unwrap_or_default();
        restore(&mut rules, &String::from_utf8_lossy(&input), keep, &name)
    } else {
        execute(&mut rules, &words, &name)
    };
    let after = rules.to_string();
    if after != before && proc.set_packet_filter(v6, after.into_bytes()).is_err() {
        let text = format!("{name}: Memory allocation problem.\n");
        proc.print_error(text.as_bytes()).await;
        return ExitStatus::Exited(RESOURCE);
    }
    match outcome {
        Ok(text) => {
            let _closed = proc.print(text.as_bytes()).await;
            proc.status()
        }
        Err(Refusal { status, text }) => {
            proc.print_error(text.as_bytes()).await;
            ExitStatus::Exited(status)
        }
    }
}

/// `Sat Nov 21 14:04:04 2026`.
fn stamp(proc: &Process) -> String {
    let shown = crate::time::Shown::new(proc.now(), &crate::time::Zone::utc());
    String::from_utf8_lossy(&shown.format(b"%a %b %e %H:%M:%S %Y")).into_owned()
}

fn restore(rules: &mut Ruleset, input: &str, keep: bool, name: &str) -> Result<String, Refusal> {
    let mut table = String::new();
    for (number, line) in input.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line == "COMMIT" {
            continue;
        }
        if let Some(own) = line.strip_prefix('*') {
            own.clone_into(&mut table);
            let own = rules.table(&table).ok_or_else(|| no_table(name, own))?;
            if !keep {
                own.chains.retain(|chain| chain.policy.is_some());
                own.chains.iter_mut().for_each(|chain| chain.rules.clear());
            }
            continue;
        }
        let failed = || Refusal {
            status: 1,
            text: format!("{name}: line {} failed\n", number + 1),
        };
        let own = rules.table(&table).ok_or_else(failed)?;
        if let Some(chain) = line.strip_prefix(':') {
            let mut words = chain.split_whitespace();
            let chain = words.next().unwrap_or_default();
            let policy = words.next().filter(|policy| *policy != "-");
            match own.chain(chain) {
                Some(known) => known.policy = policy.map(str::to_owned).or(known.policy.take()),
                None => own.chains.push(Chain::new(chain, policy)),
            }
            continue;
        }
        let words = rule::split(line);
        execute(
            rules,
            &[&["-t".to_owned(), table.clone()], words.as_slice()].concat(),
            name,
        )
        .map_err(|_| failed())?;
    }
    Ok(String::new())
}

#[expect(clippy::too_many_lines, reason = "an arm for each command")]
fn execute(rules: &mut Ruleset, words: &[String], name: &str) -> Result<String, Refusal> {
    let command = read(words, name)?;
    if command.version {
        return Ok(format!("{name} v1.8.9 (nf_tables)\n"));
    }
    if command.help {
        return Ok(format!(
            "{name} v1.8.9 (nf_tables)\n\n{}",
            include_str!("iptables/help.txt")
        ));
    }
    let Some(action) = command.action else {
        if let Some(text) = rule::misread(&command.rest) {
            return Err(usage(name, &text));
        }
        return Err(usage(name, "no command specified"));
    };
    let table = command.table.as_deref().unwrap_or("filter");
    let rule = match &action {
        Action::Append(_)
        | Action::Insert(..)
        | Action::Check(_)
        | Action::Delete(_)
        | Action::Replace(..) => Some(Rule::read(&command.rest, name)?),
        _ => {
            if let Some(extra) = command.rest.first() {
                let text = if extra.starts_with('-') {
                    format!(
                        "{name} v1.8.9 (nf_tables): unknown option \"{extra}\"\n{}",
                        hint(name)
                    )
                } else {
                    format!("Bad argument `{extra}'\n{}", hint(name))
                };
                return Err(Refusal {
                    status: USAGE,
                    text,
                });
            }
            None
        }
    };
    let target = rule
        .as_ref()
        .and_then(|rule| rule.target().map(str::to_owned));
    let own = rules.table(table).ok_or_else(|| no_table(name, table))?;
    if let Some(target) = target
        && !rule::is_target(&target)
        && own.chain(&target).is_none()
    {
        // The first line is about the target, whose extension is not found.
        let text = format!(
            "{name} v1.8.9 (nf_tables): Chain '{target}' does not exist\n{}",
            hint(name)
        );
        return Err(Refusal {
            status: USAGE,
            text,
        });
    }
    let failed = |text: &str| Refusal {
        status: 1,
        text: format!("{name}: {text}\n"),
    };
    let missing = || failed("No chain/target/match by that name.");
    let rule = rule.unwrap_or_default();
    match action {
        Action::Append(chain) => own.chain(&chain).ok_or_else(missing)?.rules.push(rule),
        Action::Insert(chain, number) => {
            let chain = own.chain(&chain).ok_or_else(missing)?;
            if number == 0 || number > chain.rules.len() + 1 {
                return Err(failed("Index of insertion too big."));
            }
            chain.rules.insert(number - 1, rule);
        }
        Action::Check(chain) | Action::Delete(chain)
            if own
                .chain(&chain)
                .is_none_or(|chain| !chain.rules.contains(&rule)) =>
        {
            return Err(failed(
                "Bad rule (does a matching rule exist in that chain?).",
            ));
        }
        Action::Zero(Some(chain)) if own.chain(&chain).is_none() => return Err(missing()),
        Action::Check(_) | Action::Zero(_) => {}
        Action::Delete(chain) => {
            let chain = own.chain(&chain).ok_or_else(missing)?;
            if let Some(at) = chain.rules.iter().position(|own| *own == rule) {
                chain.rules.remove(at);
            }
        }
        Action::DeleteNumber(chain, number) => {
            // The kernel has no chain before its first rule.
            let chain = own.chain(&chain).filter(|chain| !chain.rules.is_empty());
            let chain = chain.ok_or_else(missing)?;
            if number == 0 || number > chain.rules.len() {
                return Err(failed("Index of deletion too big."));
            }
            chain.rules.remove(number - 1);
        }
        Action::Replace(chain, number) => {
            let chain = own.chain(&chain).ok_or_else(missing)?;
            let old = number.checked_sub(1).and_then(|at| chain.rules.get_mut(at));
            *old.ok_or_else(|| failed("Index of replacement too big."))? = rule;
        }
        Action::List(chain, number) => {
            let style = show::Style {
                numeric: command.numeric,
                verbose: command.verbose,
                line_numbers: command.line_numbers,
            };
            return show::list(own, chain.as_deref(), number, &style)
                .ok_or_else(|| incompatible(name, chain.as_deref(), table));
        }
        Action::ListRules(chain) => {
            return show::rules(own, chain.as_deref())
                .ok_or_else(|| incompatible(name, chain.as_deref(), table));
        }
        Action::Flush(Some(chain)) => own.chain(&chain).ok_or_else(missing)?.rules.clear(),
        Action::Flush(None) => own.chains.iter_mut().for_each(|chain| chain.rules.clear()),
        Action::NewChain(chain) => {
            if own.chain(&chain).is_some() {
                return Err(failed("Chain already exists."));
            }
            own.chains.push(Chain::new(&chain, None));
        }
        Action::DeleteChain(chain) => delete_chain(own, chain, name)?,
        Action::Policy(chain, policy) => {
            if !matches!(policy.as_str(), "ACCEPT" | "DROP") {
                return Err(failed("Bad policy name. Run `dmesg' for more information."));
            }
            match own.chain(&chain) {
                Some(chain) if chain.policy.is_some() => chain.policy = Some(policy),
                _ => return Err(failed("Bad built-in chain name.")),
            }
        }
        Action::Rename(from, to) => {
            if own.chain(&to).is_some() {
                return Err(failed("File exists."));
            }
            to.clone_into(&mut own.chain(&from).ok_or_else(missing)?.name);
        }
    }
    Ok(String::new())
}

fn delete_chain(
    own: &mut ruleset::Table,
    chain: Option<String>,
    name: &str,
) -> Result<(), Refusal> {
    let Some(chain) = chain else {
        own.chains.retain(|chain| chain.policy.is_some());
        return Ok(());
    };
    let failed = |text: String| Refusal { status: 1, text };
    if own.references(&chain) > 0 {
        return Err(failed(format!(
            "{name} v1.8.9 (nf_tables):  CHAIN_DEL failed (Device or resource busy): chain {chain}\n"
        )));
    }
    match own.chain(&chain) {
        None => {
            return Err(failed(format!(
                "{name}: No chain/target/match by that name.\n"
            )));
        }
        Some(known) if known.policy.is_some() || !known.rules.is_empty() => {
            return Err(failed(format!("{name}: Directory not empty.\n")));
        }
        Some(_) => own.chains.retain(|known| known.name != chain),
    }
    Ok(())
}

fn hint(name: &str) -> String {
    format!("Try `{name} -h' or '{name} --help' for more information.\n")
}

fn usage(name: &str, text: &str) -> Refusal {
    Refusal {
        status: USAGE,
        text: format!("{name} v1.8.9 (nf_tables): {text}\n{}", hint(name)),
    }
}

fn no_table(name: &str, table: &str) -> Refusal {
    Refusal {
        status: VERSION,
        text: format!(
            "{name} v1.8.9 (nf_tables): table '{table}' does not exist\nPerhaps {name} or your kernel needs to be upgraded.\n"
        ),
    }
}

fn incompatible(name: &str, chain: Option<&str>, table: &str) -> Refusal {
    let chain = chain.unwrap_or_default();
    Refusal {
        status: 1,
        text: format!(
            "{name} v1.8.9 (nf_tables): chain `{chain}' in table `{table}' is incompatible, use 'nft' tool.\n"
        ),
    }
}

/// Long options that are commands, and their letters.
const COMMANDS: &[(&str, char)] = &[
    ("append", 'A'),
    ("check", 'C'),
    ("delete", 'D'),
    ("insert", 'I'),
    ("replace", 'R'),
    ("list", 'L'),
    ("list-rules", 'S'),
    ("flush", 'F'),
    ("zero", 'Z'),
    ("new-chain", 'N'),
    ("delete-chain", 'X'),
    ("policy", 'P'),
    ("rename-chain", 'E'),
    ("table", 't'),
    ("numeric", 'n'),
    ("verbose", 'v'),
    ("exact", 'x'),
    ("wait", 'w'),
    ("version", 'V'),
    ("help", 'h'),
];

/// Takes the command and the general options out; the rest describes a rule.
#[expect(clippy::too_many_lines, reason = "an arm for each letter")]
fn read(words: &[String], name: &str) -> Result<Command, Refusal> {
    let mut command = Command::default();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        if word == "--line-numbers" || word == "--line" {
            command.line_numbers = true;
            continue;
        }
        let long = word.strip_prefix("--").and_then(|long| {
            COMMANDS
                .iter()
                .find(|(name, _)| *name == long)
                .map(|(_, letter)| *letter)
        });
        let letters: Vec<char> = match (long, word.strip_prefix('-')) {
            (Some(letter), _) => vec![letter],
            (None, Some(letters)) if !letters.starts_with('-') && !letters.is_empty() => {
                letters.chars().collect()
            }
            _ => {
                command.rest.push(word.clone());
                continue;
            }
        };
        if !letters
            .first()
            .is_some_and(|letter| COMMANDS.iter().any(|(_, own)| own == letter))
        {
            command.rest.push(word.clone());
            continue;
        }
        for (place, letter) in letters.iter().enumerate() {
            let glued: String = letters
                .get(place + 1..)
                .unwrap_or_default()
                .iter()
                .collect();
            let mut operand = |needed: bool| -> Result<Option<String>, Refusal> {
                if !glued.is_empty() && needed {
                    return Ok(Some(glued.clone()));
                }
                match words.get(at) {
                    Some(next) if !next.starts_with('-') && next != "!" => {
                        at += 1;
                        Ok(Some(next.clone()))
                    }
                    _ if needed => Err(usage(
                        name,
                        &format!("option \"-{letter}\" requires an argument"),
                    )),
                    _ => Ok(None),
                }
            };
            let action = match letter {
                'A' => Action::Append(operand(true)?.unwrap_or_default()),
                'C' => Action::Check(operand(true)?.unwrap_or_default()),
                'D' | 'I' | 'R' => {
                    let chain = operand(true)?.unwrap_or_default();
                    let number = operand(false)?.map(|number| number.parse().unwrap_or(0));
                    match (letter, number) {
                        ('D', None) => Action::Delete(chain),
                        ('D', Some(number)) => Action::DeleteNumber(chain, number),
                        ('I', number) => Action::Insert(chain, number.unwrap_or(1)),
                        (_, Some(number)) => Action::Replace(chain, number),
                        (_, None) => return Err(usage(name, "-R requires a rule number")),
                    }
                }
                'L' => {
                    let chain = operand(false)?;
                    let number = match &chain {
                        Some(_) => operand(false)?.and_then(|number| number.parse().ok()),
                        None => None,
                    };
                    Action::List(chain, number)
                }
                'S' => Action::ListRules(operand(false)?),
                'F' => Action::Flush(operand(false)?),
                'Z' => Action::Zero(operand(false)?),
                'N' => Action::NewChain(operand(true)?.unwrap_or_default()),
                'X' => Action::DeleteChain(operand(false)?),
                'P' => {
                    let chain = operand(true)?.unwrap_or_default();
                    match operand(false)? {
                        Some(policy) => Action::Policy(chain, policy),
                        None => return Err(usage(name, "-P requires a chain and a policy")),
                    }
                }
                'E' => {
                    let chain = operand(true)?.unwrap_or_default();
                    match operand(false)? {
                        Some(to) => Action::Rename(chain, to),
                        None => {
                            let text = "-E requires old-chain-name and new-chain-name";
                            return Err(usage(name, text));
                        }
                    }
                }
                't' => {
                    command.table = operand(true)?;
                    break;
                }
                'w' => {
                    if words
                        .get(at)
                        .is_some_and(|next| next.parse::<u32>().is_ok())
                    {
                        at += 1;
                    }
                    continue;
                }
                'n' => {
                    command.numeric = true;
                    continue;
                }
                'v' => {
                    command.verbose = true;
                    continue;
                }
                'x' => {
                    command.exact = true;
                    continue;
                }
                'V' => {
                    command.version = true;
                    continue;
                }
                'h' => {
                    command.help = true;
                    continue;
                }
                other => return Err(usage(name, &format!("unknown option \"-{other}\""))),
            };
            let takes_glued = !glued.is_empty() && !matches!(letter, 'L' | 'S' | 'F' | 'X' | 'Z');
            if command.action.is_some() && !matches!(action, Action::Zero(_)) {
                let old = "another";
                return Err(usage(
                    name,
                    &format!("Cannot use -{letter} with {old} command"),
                ));
            }
            if !matches!(action, Action::Zero(_)) || command.action.is_none() {
                command.action = Some(action);
            }
            if takes_glued {
                break;
            }
        }
    }
    Ok(command)
}
