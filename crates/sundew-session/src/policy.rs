//! Which logins succeed: Cowrie's `userdb.txt`, read once.
//!
//! One rule a line, `user:unused:password`, the first that matches decides, and without one the
//! login fails. `*` matches everything, `/re/` and `/re/i` match where the expression is found, a
//! password rule that begins with `!` refuses. Lines that are empty or begin with `#` are skipped.
//! As in Cowrie the expressions are searched, not anchored.

use fancy_regex::{BytesMode, Regex, RegexBuilder};
use thiserror::Error;

/// The rules of a user database.
#[derive(Debug, Default)]
pub struct Policy {
    rules: Vec<Rule>,
}

/// What is wrong with a line of a user database.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {mistake}")]
pub struct PolicyError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub mistake: Mistake,
}

/// The mistakes a line can hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Mistake {
    /// Not three fields.
    #[error("expected user:x:password")]
    Fields,
    /// An expression that does not compile, or is not UTF-8.
    #[error("`{0}` is not a regular expression")]
    Expression(String),
    /// A line beyond [`MAX_RULES`].
    #[error("more than {MAX_RULES} rules")]
    TooMany,
}

#[derive(Debug)]
struct Rule {
    user: Pattern,
    password: Pattern,
    allow: bool,
}

#[derive(Debug)]
enum Pattern {
    Any,
    Exact(Box<[u8]>),
    Found(Box<Regex>),
}

impl Policy {
    /// Reads a user database.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] with the number of the first line that is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, PolicyError> {
        let mut rules = Vec::new();
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let error = |mistake| PolicyError {
                line: index.saturating_add(1),
                mistake,
            };
            if rules.len() >= MAX_RULES {
                return Err(error(Mistake::TooMany));
            }
            rules.push(rule(line).map_err(error)?);
        }
        Ok(Self { rules })
    }

    /// Whether this login succeeds.
    #[must_use]
    pub fn permits(&self, user: &[u8], password: &[u8]) -> bool {
        self.rules
            .iter()
            .find(|rule| rule.user.matches(user) && rule.password.matches(password))
            .is_some_and(|rule| rule.allow)
    }
}

fn rule(line: &[u8]) -> Result<Rule, Mistake> {
    let mut fields = line.splitn(3, |&byte| byte == b':');
    let (Some(user), Some(_), Some(password)) = (fields.next(), fields.next(), fields.next())
    else {
        return Err(Mistake::Fields);
    };
    let (allow, password) = match password.strip_prefix(b"!") {
        Some(rest) => (false, rest),
        None => (true, password),
    };
    Ok(Rule {
        user: pattern(user)?,
        password: pattern(password)?,
        allow,
    })
}

fn pattern(text: &[u8]) -> Result<Pattern, Mistake> {
    if text == b"*" {
        return Ok(Pattern::Any);
    }
    let (body, ignore_case) = match text.strip_suffix(b"/i") {
        Some(body) => (body, true),
        None => (text.strip_suffix(b"/").unwrap_or_default(), false),
    };
    let Some(body) = body.strip_prefix(b"/").filter(|body| !body.is_empty()) else {
        return Ok(Pattern::Exact(text.into()));
    };
    let error = || Mistake::Expression(String::from_utf8_lossy(body).into_owned());
    let expression = std::str::from_utf8(body).map_err(|_| error())?;
    let regex = RegexBuilder::new(expression)
        .case_insensitive(ignore_case)
        .bytes_mode(BytesMode::Ascii)
        .backtrack_limit(BACKTRACK_LIMIT)
        .build()
        .map_err(|_| error())?;
    Ok(Pattern::Found(Box::new(regex)))
}

impl Pattern {
    fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => **exact == *text,
            // Past the limit it does not match: a stranger's password must not cost more.
            Self::Found(regex) => regex.is_match(text).unwrap_or(false),
        }
    }
}

/// Rules of one database. Each costs a comparison at every login; lists of leaked passwords that
/// people feed to honeypots have some ten thousand.
pub const MAX_RULES: usize = 100_000;

/// Steps back that one expression may take on one password: well under a millisecond.
const BACKTRACK_LIMIT: usize = 10_000;

/// The database of a new sensor.
pub const DEFAULT: &str = "\
# Who may log in, in Cowrie's syntax: user:x:password, first match wins, nobody else gets in.
#   *          anything                    !password  refuses
#   /re/       a regular expression        /re/i      the same, whatever the case
# Read at start.
root:x:!root
root:x:!123456
root:x:!/honeypot/i
root:x:*
";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_default_root_gets_in_with_any_password_but_a_few() {
        let policy = Policy::parse(DEFAULT.as_bytes()).unwrap();
        for (user, password, permitted) in [
            ("root", "toor", true),
            ("root", "", true),
            ("root", "root", false),
            ("root", "123456", false),
            ("root", "1234567", true),
            ("root", "myHoneyPot1", false),
            ("admin", "admin", false),
        ] {
            let answer = policy.permits(user.as_bytes(), password.as_bytes());
            assert_eq!(answer, permitted, "{user}/{password}");
        }
        assert!(policy.permits(b"root", b"\xff\xfe"));
    }

    #[test]
    fn the_first_match_decides_and_passwords_may_hold_colons() {
        let policy = Policy::parse(b"/^a.*/:x:a:b\n*:x:!no\r\n*:x:/^[0-9]+$/\n").unwrap();
        assert!(policy.permits(b"anna", b"a:b"));
        assert!(!policy.permits(b"anna", b"a"));
        assert!(!policy.permits(b"bert", b"no"));
        assert!(policy.permits(b"bert", b"42"));
        assert!(!policy.permits(b"bert", b"42x"));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let error = |text: &[u8]| Policy::parse(text).unwrap_err();
        assert_eq!(
            error(b"# x\nroot\n").to_string(),
            "line 2: expected user:x:password"
        );
        assert_eq!(
            error(b"root:x:/(/").mistake,
            Mistake::Expression("(".to_owned())
        );
        assert_eq!(error(b"\n\n/\xff/:x:*").line, 3);
    }

    #[test]
    fn an_expression_that_backtracks_for_ever_does_not_match() {
        let policy = Policy::parse(b"root:x:/^(?=(a|aa)+$)\\1+b/\n").unwrap();
        assert!(!policy.permits(b"root", &[b'a'; 4000]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_rules_or_an_error(text: Vec<u8>, user: Vec<u8>, password: Vec<u8>) {
            if let Ok(policy) = Policy::parse(&text) {
                // Twice the same answer; that there is one is what counts.
                prop_assert_eq!(policy.permits(&user, &password), policy.permits(&user, &password));
            }
        }

        #[test]
        fn any_expression_is_a_rule_or_an_error(expression in "[a-z(|)*+?\\[\\]\\\\{}0-9^$.]{0,20}", password: Vec<u8>) {
            if let Ok(policy) = Policy::parse(format!("*:x:/{expression}/").as_bytes()) {
                prop_assert_eq!(policy.permits(b"root", &password), policy.permits(b"root", &password));
            }
        }
    }
}
