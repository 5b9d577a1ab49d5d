//! How variables, functions and quoted text are listed: `declare -p`, `set`, `export -p`.

use std::collections::BTreeMap;

use sundew_posix::escape::single_quoted;
use sundew_sh_syntax::{Dialect, unparse};

use crate::expand::transform::{double_quote, quote};
use crate::option::{SET_OPTIONS, SHOPT_OPTIONS};
use crate::shell::{Function, Shell};
use crate::variable::{Attributes, Value, Variable};

/// Buckets of bash's associative arrays; their order is what `declare -p` shows.
const ASSOCIATIVE_BUCKETS: u32 = 1024;

/// Variables that bash computes when they are used and lists without a value; whether it counts them
/// as integers.
const MADE_UP: &[(&str, bool)] = &[
    ("BASHPID", true),
    ("BASH_ARGV0", false),
    ("BASH_COMMAND", false),
    ("BASH_SUBSHELL", false),
    ("COMP_WORDBREAKS", false),
    ("EPOCHREALTIME", false),
    ("EPOCHSECONDS", false),
    ("FUNCNAME", false),
    ("HISTCMD", true),
    ("LINENO", false),
    ("RANDOM", true),
    ("SECONDS", false),
    ("SRANDOM", true),
];

/// `'…'` whether it is needed or not, in each shell's way of writing a quote within.
pub(crate) fn single_quote(dialect: Dialect, value: &[u8]) -> Vec<u8> {
    if dialect == Dialect::Bash {
        return single_quoted(value);
    }
    let mut out = Vec::with_capacity(value.len() + 2);
    let mut rest = value;
    loop {
        let plain = rest
            .iter()
            .position(|&byte| byte == b'\'')
            .unwrap_or(rest.len());
        let (text, after) = rest.split_at(plain);
        out.push(b'\'');
        out.extend_from_slice(text);
        out.push(b'\'');
        let quotes = after.iter().take_while(|&&byte| byte == b'\'').count();
        let (marks, after) = after.split_at(quotes);
        if quotes > 0 {
            out.push(b'"');
            out.extend_from_slice(marks);
            out.push(b'"');
        }
        if after.is_empty() {
            return out;
        }
        rest = after;
    }
}

/// A value as bash's `set` shows it: quoted if the shell would take it apart.
pub(in crate::builtin) fn set_value(value: &[u8]) -> Vec<u8> {
    let plain = std::str::from_utf8(value).is_ok() && !value.iter().any(u8::is_ascii_control);
    if plain && !has_metas(value) {
        value.to_vec()
    } else {
        quote(value)
    }
}

/// Whether the shell would take this apart if it stood there unquoted.
fn has_metas(value: &[u8]) -> bool {
    let mut before = None;
    for &byte in value {
        let special = match byte {
            b'~' => matches!(before, None | Some(b':' | b'=')),
            b'#' => matches!(before, None | Some(b' ' | b'\t')),
            _ => b" \t\n'\"\\|&;()<>!{}*[?]^$`".contains(&byte),
        };
        if special {
            return true;
        }
        before = Some(byte);
    }
    false
}

/// The letters of `declare`, in bash's order.
fn letters(variable: &Variable) -> Vec<u8> {
    let Attributes {
        exported,
        readonly,
        integer,
        lowercase,
        uppercase,
        capitalized,
        reference,
        trace,
        bare: _,
    } = variable.attributes;
    [
        (matches!(variable.value, Some(Value::Indexed(_))), b'a'),
        (matches!(variable.value, Some(Value::Associative(_))), b'A'),
        (integer, b'i'),
        (reference, b'n'),
        (readonly, b'r'),
        (trace, b't'),
        (exported, b'x'),
        (capitalized, b'c'),
        (lowercase, b'l'),
        (uppercase, b'u'),
    ]
    .into_iter()
    .filter_map(|(on, letter)| on.then_some(letter))
    .collect()
}

/// bash's hash of a text: FNV-1 over 32 bits, of bytes that have a sign.
pub(crate) fn hash_of(text: &[u8]) -> u32 {
    text.iter().fold(2_166_136_261_u32, |hash, &byte| {
        let signed = i32::from(byte.cast_signed()).cast_unsigned();
        hash.wrapping_mul(16_777_619) ^ signed
    })
}

/// The place of a key in an associative array.
fn bucket(key: &[u8]) -> u32 {
    hash_of(key) % ASSOCIATIVE_BUCKETS
}

/// The elements of an associative array in the order in which bash lists them.
pub(crate) fn bucket_order(elements: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<(&Vec<u8>, &Vec<u8>)> {
    let mut all: Vec<_> = elements.iter().collect();
    all.sort_by_key(|(key, _)| bucket(key));
    all
}

/// `([0]="a" [1]="b")`
fn array_text(value: &Value) -> Vec<u8> {
    let mut text = b"(".to_vec();
    match value {
        Value::Scalar(_) => {}
        Value::Indexed(elements) => {
            let shown: Vec<Vec<u8>> = elements
                .iter()
                .map(|(index, value)| {
                    [
                        b"[",
                        index.to_string().as_bytes(),
                        b"]=",
                        &double_quote(value),
                    ]
                    .concat()
                })
                .collect();
            text.extend(shown.join(&b' '));
        }
        Value::Associative(elements) => {
            for (key, value) in bucket_order(elements) {
                let key = shown_key(key);
                text.extend([b"[", key.as_slice(), b"]=", &double_quote(value), b" "].concat());
            }
        }
    }
    text.push(b')');
    text
}

/// A key of an associative array, in quotes if it needs them.
pub(crate) fn shown_key(key: &[u8]) -> Vec<u8> {
    if has_metas(key) || key == b"@" {
        double_quote(key)
    } else {
        key.to_vec()
    }
}

/// `declare -x name="value"`, without a newline.
pub(in crate::builtin) fn declare_line(command: &str, name: &[u8], variable: &Variable) -> Vec<u8> {
    let letters = if name == b"FUNCNAME" && variable.value.is_none() {
        b"a".to_vec()
    } else {
        letters(variable)
    };
    let flags = if letters.is_empty() {
        b"--".to_vec()
    } else {
        [b"-", letters.as_slice()].concat()
    };
    let mut line = match command {
        "declare" => [b"declare ", flags.as_slice(), b" ", name].concat(),
        other => [other.as_bytes(), b" ", name].concat(),
    };
    match &variable.value {
        None => {}
        Some(Value::Indexed(elements)) if elements.is_empty() && variable.attributes.bare => {}
        Some(Value::Associative(elements)) if elements.is_empty() && variable.attributes.bare => {}
        Some(Value::Scalar(text)) => line.extend([b"=", double_quote(text).as_slice()].concat()),
        Some(array) => line.extend([b"=", array_text(array).as_slice()].concat()),
    }
    line
}

/// The letters behind `declare -f` for a function.
pub(in crate::builtin) fn function_letters(function: &Function) -> Vec<u8> {
    let mut letters = b"-f".to_vec();
    letters.extend(function.readonly.then_some(b'r'));
    letters.extend(function.traced.then_some(b't'));
    letters.extend(function.exported.then_some(b'x'));
    letters
}

impl Shell {
    /// `${x@a}`: the attributes of a variable.
    pub(crate) fn attribute_letters(&self, name: &[u8]) -> Vec<u8> {
        self.variables
            .variable(name)
            .map(letters)
            .unwrap_or_default()
    }

    /// The command that makes this variable again. `short` leaves `declare --` out, as `${x@A}`
    /// does; nothing for a variable that is not known.
    pub(crate) fn declaration(&self, name: &[u8], short: bool) -> Vec<u8> {
        if !short {
            return self
                .variables
                .raw(name)
                .map(|found| declare_line("declare", name, found))
                .unwrap_or_default();
        }
        let Some(variable) = self.variables.variable(name) else {
            return Vec::new();
        };
        let letters = letters(variable);
        match &variable.value {
            Some(Value::Scalar(text)) if letters.is_empty() => [name, b"=", &quote(text)].concat(),
            Some(Value::Scalar(text)) => [
                b"declare -",
                letters.as_slice(),
                b" ",
                name,
                b"=",
                &quote(text),
            ]
            .concat(),
            None if letters.is_empty() => Vec::new(),
            _ => declare_line("declare", name, variable),
        }
    }

    /// Everything that `set` and `declare -p` list: the variables, and those that bash makes up.
    pub(in crate::builtin) fn listed_variables(&self) -> BTreeMap<Vec<u8>, Variable> {
        let known = self.variables.visible();
        let mut all: BTreeMap<Vec<u8>, Variable> = known
            .into_iter()
            .map(|(name, variable)| (name.to_vec(), variable.clone()))
            .collect();
        if !self.is_bash() {
            return all;
        }
        // bash computes these on use: in a listing they are empty.
        for name in [
            "BASH_ARGC",
            "BASH_ARGV",
            "BASH_LINENO",
            "BASH_SOURCE",
            "DIRSTACK",
            "GROUPS",
        ] {
            let value = Some(Value::Indexed(BTreeMap::new()));
            all.insert(
                name.into(),
                Variable {
                    value,
                    ..Variable::default()
                },
            );
        }
        for name in ["BASH_ALIASES", "BASH_CMDS"] {
            let value = Some(Value::Associative(BTreeMap::new()));
            all.entry(name.into()).or_insert(Variable {
                value,
                ..Variable::default()
            });
        }
        for (name, integer) in MADE_UP {
            let attributes = Attributes {
                integer: *integer,
                ..Attributes::default()
            };
            all.entry(name.as_bytes().to_vec()).or_insert(Variable {
                value: None,
                attributes,
            });
        }
        if let Some(variable) = all.get_mut(b"OPTIND".as_slice()) {
            variable.attributes.integer = true;
        }
        let readonly = Attributes {
            readonly: true,
            ..Attributes::default()
        };
        for (name, value) in [
            ("BASHOPTS", self.shopt_list()),
            ("SHELLOPTS", self.option_list()),
        ] {
            let variable = Variable {
                value: Some(Value::Scalar(value)),
                attributes: readonly,
            };
            all.insert(name.into(), variable);
        }
        let paths = "/usr/local/lib/bash:/usr/lib/bash:/opt/local/lib/bash:/usr/pkg/lib/bash:/opt/pkg/lib/bash:.";
        let own = [
            ("BASH_LOADABLES_PATH", Some(paths.into())),
            (
                "BASH_EXECUTION_STRING",
                self.execution_string.as_deref().map(<[u8]>::to_vec),
            ),
        ];
        for (name, value) in own {
            let Some(value) = value else { continue };
            let variable = Variable {
                value: Some(Value::Scalar(value)),
                ..Variable::default()
            };
            all.entry(name.into()).or_insert(variable);
        }
        all
    }

    /// `$SHELLOPTS`
    pub(crate) fn option_list(&self) -> Vec<u8> {
        let on: Vec<&str> = SET_OPTIONS
            .iter()
            .map(|option| option.name)
            .filter(|name| self.options.is_set(name))
            .collect();
        on.join(":").into_bytes()
    }

    /// `$BASHOPTS`
    pub(crate) fn shopt_list(&self) -> Vec<u8> {
        let on: Vec<&str> = SHOPT_OPTIONS
            .iter()
            .map(|option| option.0)
            .filter(|name| self.options.shopt(name))
            .collect();
        on.join(":").into_bytes()
    }

    /// `set` and `declare` without arguments: every variable that has a value, then functions.
    pub(in crate::builtin) fn set_listing(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for (name, variable) in self.listed_variables() {
            let shown = match &variable.value {
                None => continue,
                Some(Value::Scalar(value)) if self.is_bash() => set_value(value),
                Some(Value::Scalar(value)) => single_quote(self.dialect, value),
                Some(array) => array_text(array),
            };
            text.extend([name.as_slice(), b"=", &shown, b"\n"].concat());
        }
        if self.is_bash() && !self.options.is_set("posix") {
            for (name, function) in &self.functions {
                text.extend(unparse::function(name, &function.body));
                text.push(b'\n');
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_written_as_each_shell_does() {
        assert_eq!(single_quote(Dialect::Bash, b"it's"), b"'it'\\''s'");
        assert_eq!(single_quote(Dialect::Dash, b"it's"), br#"'it'"'"'s'"#);
        assert_eq!(single_quote(Dialect::Ash, b""), b"''");
    }

    #[test]
    fn only_what_the_shell_would_take_apart_is_quoted() {
        for (value, shown) in [
            ("a#b", "a#b"),
            ("#a", "'#a'"),
            ("a~b", "a~b"),
            ("a:~b", "'a:~b'"),
            ("u,v", "u,v"),
            ("", ""),
            ("5(1)", "'5(1)'"),
        ] {
            assert_eq!(set_value(value.as_bytes()), shown.as_bytes());
        }
    }

    #[test]
    fn keys_come_in_the_order_of_their_buckets() {
        // bash 5.2: declare -A h=([a b]=1 [x]=2 …); declare -p h
        let mut keys = ["a b", "x$", "q", "alpha", "beta", "gamma"];
        keys.sort_by_key(|key| bucket(key.as_bytes()));
        assert_eq!(keys, ["alpha", "gamma", "x$", "q", "beta", "a b"]);
    }
}
