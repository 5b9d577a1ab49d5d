//! Tables, chains and rules, and their text, which is what `iptables-save` writes without counters.

use std::fmt;

use super::rule::{Rule, split};

/// Tables and their built-in chains.
const BUILT_IN: &[(&str, &[&str])] = &[
    ("filter", &["INPUT", "FORWARD", "OUTPUT"]),
    ("nat", &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]),
    (
        "mangle",
        &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
    ),
    ("raw", &["PREROUTING", "OUTPUT"]),
    ("security", &["INPUT", "FORWARD", "OUTPUT"]),
];

/// One chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) name: String,
    /// Of a built-in chain.
    pub(super) policy: Option<String>,
    pub(super) rules: Vec<Rule>,
}

impl Chain {
    pub(super) fn new(name: &str, policy: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            policy: policy.map(str::to_owned),
            rules: Vec::new(),
        }
    }
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) chains: Vec<Chain>,
}

impl Table {
    pub(super) fn chain(&mut self, name: &str) -> Option<&mut Chain> {
        self.chains.iter_mut().find(|chain| chain.name == name)
    }

    /// How many rules lead to a chain.
    pub(super) fn references(&self, name: &str) -> usize {
        let rules = self.chains.iter().flat_map(|chain| &chain.rules);
        rules.filter(|rule| rule.target() == Some(name)).count()
    }
}

/// All tables that were ever looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ruleset {
    pub(super) tables: Vec<Table>,
}

impl Ruleset {
    /// Reads what [`fmt::Display`] wrote.
    pub(super) fn parse(text: &str) -> Self {
        let mut rules = Self::default();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('*') {
                rules.tables.push(Table {
                    name: name.to_owned(),
                    chains: Vec::new(),
                });
                continue;
            }
            let Some(table) = rules.tables.last_mut() else {
                continue;
            };
            if let Some(rest) = line.strip_prefix(':') {
                let (name, policy) = rest.split_once(' ').unwrap_or((rest, "-"));
                let policy = Some(policy).filter(|policy| *policy != "-");
                table.chains.push(Chain::new(name, policy));
            } else {
                let mut words = split(line).into_iter().skip(1);
                let name = words.next().unwrap_or_default();
                if let Some(chain) = table.chain(&name) {
                    chain.rules.push(Rule(words.collect()));
                }
            }
        }
        rules
    }

    /// A table, made when it is one of the kernel's.
    pub(super) fn table(&mut self, name: &str) -> Option<&mut Table> {
        if !self.tables.iter().any(|table| table.name == name) {
            let (_, chains) = BUILT_IN.iter().find(|(own, _)| *own == name)?;
            self.tables.push(Table {
                name: name.to_owned(),
                chains: chains
                    .iter()
                    .map(|chain| Chain::new(chain, Some("ACCEPT")))
                    .collect(),
            });
        }
        self.tables.iter_mut().find(|table| table.name == name)
    }
}

impl fmt::Display for Ruleset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in &self.tables {
            writeln!(f, "*{}", table.name)?;
            for chain in &table.chains {
                let policy = chain.policy.as_deref().unwrap_or("-");
                writeln!(f, ":{} {policy}", chain.name)?;
            }
            for chain in &table.chains {
                for rule in &chain.rules {
                    writeln!(f, "-A {}{rule}", chain.name)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut rules = Ruleset::default();
        rules.table("nat").unwrap();
        let table = rules.table("filter").unwrap();
        table.chains.push(Chain::new("foo", None));
        let words = "-p tcp --dport 23 -m comment --comment \"a b\" -j DROP";
        let rule = Rule::read(&split(words), "iptables").unwrap();
        table.chain("INPUT").unwrap().rules.push(rule);
        let text = rules.to_string();
        assert!(
            text.contains("-A INPUT -p tcp -m tcp --dport 23 -m comment --comment \"a b\" -j DROP")
        );
        assert_eq!(Ruleset::parse(&text), rules);
    }
}
