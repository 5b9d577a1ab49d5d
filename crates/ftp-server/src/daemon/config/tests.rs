//! Mistakes are named with their place, and the template says what is true.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Config, Mistake> {
    Config::parse(Path::new("f"), text.as_bytes())
}

fn error(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn a_mistake_is_named_with_file_line_column_key_and_what_was_expected() {
    for (text, expected) in [
        (
            "[limits]\nconections = 3\n",
            "f:2:1: unknown key `conections`, did you mean `connections`?",
        ),
        (
            "[limts]\n",
            "f:1:2: unknown key `limts`, did you mean `limits`?",
        ),
        (
            "[user.anna]\npermisions = 'elr'\n",
            "f:2:1: unknown key `permisions`, did you mean `permissions`?",
        ),
        (
            "[session]\nidle = '5 parsecs'\n",
            "f:2:8: `idle`: `5 parsecs` is not a duration like \"30s\", \"5m\", \"1h\"",
        ),
        (
            "[anonymous]\npermissions = 'elx'\n",
            "f:2:15: `permissions`: no right has the letter 'x', only elradfmwMT",
        ),
        (
            "[data]\nports = '50-60'\n",
            "f:2:9: `ports`: `50-60` is not a range of ports from 1024 on like \"50000-50999\"",
        ),
        (
            "[tls]\n  required = 'both'\n",
            "f:2:3: `required` needs a `certificate`, or `self_signed = true`",
        ),
        (
            "\n[user.anna]\nroot = '/'\n",
            "f:2:1: user `anna` has no `password`; `ftpd hash` makes one",
        ),
        (
            "[metrics]\nlisten = '0.0.0.0:9121'\n",
            "f:2:1: metrics are served on loopback only, such as \"127.0.0.1:9121\"",
        ),
    ] {
        assert_eq!(error(text), expected);
    }
    let colour = error("[log]\ncolour = true\n");
    assert!(
        colour.starts_with("f:2:1: unknown key `colour`; known here: filter,"),
        "{colour}"
    );
    let hash = error("[user.a]\npassword = 'secret'\n");
    assert!(
        hash.contains("not a hash as `ftpd hash` prints it"),
        "{hash}"
    );
    let kind = error("[listen]\nport = 'x'\n");
    assert!(
        kind.starts_with("f:2:8: `port`: ") && kind.contains("expected u16"),
        "{kind}"
    );
}

#[test]
fn an_expensive_hash_is_refused_before_anybody_logs_in() {
    let salt = "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let hash = |cost: &str| Hash::new(&format!("$argon2id$v=19${cost}${salt}"));
    assert!(hash("m=19456,t=2,p=1").is_ok());
    assert!(hash("m=4000000,t=2,p=1").unwrap_err().contains("costs"));
    assert!(hash("m=19456,t=2000,p=1").unwrap_err().contains("costs"));
}

#[test]
fn a_user_has_everything_the_section_says() {
    let text = "[user.anna]\n\
        password = '$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'\n\
        permissions = 'elradfmw'\n\
        directories = { '/pub' = 'elr' }\n\
        networks = ['10.0.0.0/8']\n\
        download_rate = '1MB'\n\
        ratio = '1:5'\n\
        [tls]\nself_signed = true\n";
    let config = parse(text).unwrap();
    let anna = &config.user["anna"];
    assert!(!format!("{anna:?}").contains("argon2id"));
    let permissions = anna.permissions();
    let pub_ = ftp_proto::server::Path::root().join(b"pub/file").unwrap();
    assert_eq!(permissions.general().to_string(), "elradfmw");
    assert_eq!(permissions.at(&pub_).to_string(), "elr");
    let rules = anna.rules(TlsKey::Control, false);
    assert!(rules.allow("10.1.2.3".parse().unwrap()));
    assert!(!rules.allow("192.0.2.1".parse().unwrap()));
    assert!(rules.tls.control() && !rules.tls.data());
    let allowance = anna.allowance();
    assert_eq!(allowance.download_rate.unwrap().get(), 1_000_000);
    assert_eq!(allowance.ratio.unwrap().download, 5);
}

#[test]
fn an_empty_file_is_the_default_and_so_is_the_template() {
    let default = format!("{:?}", Config::default());
    assert_eq!(format!("{:?}", parse("").unwrap()), default);
    assert_eq!(format!("{:?}", parse(TEMPLATE).unwrap()), default);
}

#[test]
fn every_key_of_the_template_is_known_and_every_default_is_true() {
    // Of what is an example rather than a default, the key alone is tried.
    let examples = [
        "root",
        "users_file",
        "password",
        "permissions",
        "directories",
        "sessions",
        "sessions_per_address",
        "download_rate",
        "upload_rate",
        "quota_bytes",
        "quota_files",
        "ratio",
        "active_port",
        "total",
        "ratio_credit",
        "url",
        "authorities",
        "ports",
        "advertise",
        "advertise_to",
        "certificate",
        "key",
        "client_authorities",
        "transfers",
        "events",
        "user",
        "group",
        "umask",
        "max_bytes",
        "control",
        "state",
    ];
    let mut defaults = String::new();
    let mut in_user = false;
    let mut section = String::new();
    for line in TEMPLATE.lines() {
        let Some(text) = line
            .strip_prefix('#')
            .or(line.starts_with('[').then_some(line))
        else {
            continue;
        };
        if text.starts_with(' ') {
            continue;
        }
        if text.starts_with('[') {
            in_user = text.starts_with("[user.");
            text.clone_into(&mut section);
        }
        let key = text.split([' ', '=']).next().unwrap_or_default();
        let is_metrics = section == "[metrics]";
        let is_example = in_user || examples.contains(&key) || (is_metrics && key == "listen");
        if !is_example {
            defaults.push_str(text);
            defaults.push('\n');
        } else if !text.starts_with('[') {
            let head = if section.is_empty() {
                ""
            } else {
                section.as_str()
            };
            let alone = format!("{head}\n{text}\n");
            // Whatever else is wrong with it alone, the key is known and the value of its kind.
            if let Err(error) = parse(&alone) {
                let text = &error.text;
                let is_fine = text.contains("go together")
                    || text.contains("has no `password`")
                    || text.contains("needs")
                    || text.contains("prints it");
                assert!(is_fine, "{alone}: {error}");
            }
        }
    }
    let config = parse(&defaults).unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    assert!(defaults.contains("connections_per_address = 64"));
}

proptest! {
    #[test]
    fn any_bytes_are_a_configuration_or_a_mistake_in_one_line(bytes: Vec<u8>) {
        if let Err(error) = Config::parse(Path::new("f"), &bytes) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }
}
