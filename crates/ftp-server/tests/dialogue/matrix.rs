//! Every verb, with no argument, nonsense and something good, before and after the login: one reply
//! each, and of a code that its standard allows.

use ftp_server::ftp_proto::Verb;

use crate::harness::{Client, Running};

/// An argument that is well formed, for verbs that need a special one.
fn good(verb: Verb) -> &'static str {
    match verb {
        Verb::User => "anna",
        Verb::Pass => "pw",
        Verb::Port => "127,0,0,1,8,1",
        Verb::Eprt => "|1|127.0.0.1|2049|",
        Verb::Lprt => "4,4,127,0,0,1,2,8,1",
        Verb::Type => "I",
        Verb::Stru => "F",
        Verb::Mode => "S",
        Verb::Allo | Verb::Rest => "0",
        Verb::Rang => "1 0",
        Verb::Site => "HELP",
        Verb::Opts => "UTF8 ON",
        Verb::Lang => "en",
        Verb::Host => "localhost",
        Verb::Mfmt | Verb::Mfct => "20240102030405 file",
        Verb::Mff => "Modify=20240102030405; file",
        Verb::Csid => "Name=test;",
        Verb::Pret => "RETR file",
        Verb::Mkd | Verb::Xmkd | Verb::Rmd | Verb::Xrmd | Verb::Cwd | Verb::Xcwd => "directory",
        Verb::Rmda | Verb::Dele | Verb::Rnto => "nothing",
        Verb::Comb => "joined nothing",
        Verb::Pbsz => "0",
        Verb::Prot => "P",
        Verb::Auth => "TLS",
        Verb::Help => "RETR",
        Verb::Epsv => "1",
        _ => "file",
    }
}

/// Verbs that take no argument.
fn is_bare(verb: Verb) -> bool {
    let bare = [
        "CDUP", "XCUP", "REIN", "QUIT", "PASV", "LPSV", "ABOR", "PWD", "XPWD", "SYST", "NOOP",
        "CCC", "FEAT", "CPSV", "SPSV", "ESTA", "ESTP",
    ];
    bare.contains(&verb.name())
}

/// RFC 959 §5.4 with RFC 1123, and the documents of the others. What every command may say, 500, 501,
/// 421 and 530, is left out; there is no data connection.
fn allowed(verb: Verb) -> &'static [u16] {
    match verb {
        Verb::User => &[230, 331, 332],
        Verb::Pass => &[230, 202, 332, 503],
        Verb::Acct => &[230, 202, 503],
        Verb::Cwd | Verb::Xcwd => &[250, 550],
        Verb::Cdup | Verb::Xcup => &[200, 250, 550],
        Verb::Rein => &[120, 220],
        Verb::Quit => &[221],
        Verb::Port | Verb::Lprt => &[200],
        Verb::Eprt => &[200, 522],
        Verb::Pasv => &[227],
        Verb::Epsv => &[229, 522],
        Verb::Lpsv => &[228],
        Verb::Spsv => &[227],
        Verb::Type | Verb::Stru | Verb::Mode => &[200, 504],
        Verb::Allo => &[200, 202, 504],
        Verb::Rest | Verb::Rang => &[350],
        Verb::Stor | Verb::Stou => &[425, 450, 452, 532, 553],
        Verb::Appe => &[425, 450, 452, 532, 550, 553],
        Verb::Retr => &[425, 450, 550],
        Verb::List | Verb::Nlst => &[425, 450, 550],
        Verb::Mlsd => &[425, 501, 550],
        Verb::Rnfr => &[350, 450, 550],
        Verb::Rnto => &[250, 503, 532, 553],
        Verb::Dele | Verb::Rmd | Verb::Xrmd | Verb::Rmda => &[250, 450, 550],
        Verb::Mkd | Verb::Xmkd => &[257, 521, 550],
        Verb::Pwd | Verb::Xpwd => &[257],
        Verb::Abor => &[225, 226],
        Verb::Syst => &[215],
        Verb::Stat => &[211, 212, 213, 450],
        Verb::Help => &[211, 214, 502],
        Verb::Site => &[200, 202, 214],
        Verb::Noop | Verb::Clnt | Verb::Csid | Verb::Pret | Verb::Opts => &[200],
        Verb::Feat => &[211],
        Verb::Lang => &[200, 504],
        Verb::Host => &[220, 503, 504],
        Verb::Mdtm | Verb::Size | Verb::Avbl | Verb::Dsiz => &[213, 550],
        Verb::Mfmt | Verb::Mfct => &[213, 550],
        Verb::Mff => &[213, 504, 550],
        Verb::Mlst => &[250, 550],
        Verb::Hash => &[213, 450, 504, 550, 552, 556],
        Verb::Md5 => &[251, 550, 556],
        Verb::Mmd5 => &[252, 504, 550, 556],
        Verb::Xcrc | Verb::Xmd5 | Verb::Xsha | Verb::Xsha1 | Verb::Xsha256 | Verb::Xsha512 => {
            &[250, 550, 556]
        }
        Verb::Comb => &[250, 550],
        // Not offered by a server without a certificate, or by none.
        _ => &[502],
    }
}

async fn check(client: &mut Client, verb: Verb, line: &str, wanted: &[u16]) {
    let (code, text) = client.tell(line).await;
    assert!(
        wanted.contains(&code),
        "{verb}: {line:?} was answered {text:?}"
    );
    if verb == Verb::Quit && code == 221 {
        assert_eq!(client.code().await, 0, "open after QUIT");
    } else {
        client.is_in_step().await;
    }
}

#[tokio::test]
async fn every_verb_is_answered_once_with_a_code_of_its_standard() {
    let server = Running::start();
    for &verb in Verb::ALL {
        let mut client = server.logged_in().await;
        assert_eq!(client.put("STOR file", b"one\ntwo\n").await, 226);
        client.ask("MKD directory").await;
        let line = if is_bare(verb) {
            verb.name().to_owned()
        } else {
            format!("{} {}", verb.name(), good(verb))
        };
        check(&mut client, verb, &line.to_lowercase(), allowed(verb)).await;
    }
}

#[tokio::test]
async fn before_the_login_nothing_is_said_about_files() {
    let server = Running::start();
    let open = [
        "USER", "PASS", "ACCT", "REIN", "QUIT", "NOOP", "HELP", "SYST", "STAT", "SITE", "FEAT",
        "OPTS", "LANG", "CLNT", "CSID", "HOST",
    ];
    for &verb in Verb::ALL {
        if open.contains(&verb.name()) {
            continue;
        }
        let mut client = server.client().await;
        for argument in ["", " nonsense\u{7f}"] {
            let line = format!("{}{argument}", verb.name());
            let wanted = if allowed(verb) == [502] { 502 } else { 530 };
            check(&mut client, verb, &line, &[wanted]).await;
        }
    }
    let mut client = server.client().await;
    assert_eq!(client.ask("STAT /").await, 530);
    assert_eq!(client.ask("SITE CPFR /etc/passwd").await, 530);
    assert_eq!(client.ask("STAT").await, 211);
}

#[tokio::test]
async fn a_missing_argument_is_501_and_so_is_one_too_many() {
    let server = Running::start();
    // CWD goes home, as a shell's `cd`.
    let optional = [
        "CWD", "XCWD", "PASS", "STOU", "LIST", "NLST", "STAT", "HELP", "LANG", "MLST", "MLSD",
        "AVBL", "DSIZ", "EPSV",
    ];
    for &verb in Verb::ALL {
        if allowed(verb) == [502] || optional.contains(&verb.name()) {
            continue;
        }
        let mut client = server.logged_in().await;
        let line = if is_bare(verb) {
            format!("{} superfluous", verb.name())
        } else {
            verb.name().to_owned()
        };
        check(&mut client, verb, &line, &[501]).await;
    }
}

#[tokio::test]
async fn what_feat_lists_is_served_and_what_is_refused_is_not_listed() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    let (_, features) = client.tell("FEAT").await;
    let inner: Vec<_> = features
        .lines()
        .filter_map(|line| line.strip_prefix(' '))
        .collect();
    assert!(inner.len() > 20, "{features}");
    for feature in &inner {
        let name = feature.split(' ').next().unwrap();
        let Some(verb) = Verb::parse(name.as_bytes()) else {
            assert!(["TVFS", "UTF8"].contains(&name), "{feature}");
            continue;
        };
        assert_ne!(allowed(verb), [502], "{feature} is listed");
    }
    for hidden in ["AUTH", "PBSZ", "PROT", "CCC", "SSCN", "ESTA", "MAIL"] {
        assert!(
            !inner.iter().any(|line| line.starts_with(hidden)),
            "{hidden}"
        );
    }
    for wanted in [
        "MLST type*;perm*;size*;modify*;",
        "REST STREAM",
        "HASH SHA-256*;",
    ] {
        assert!(
            inner.iter().any(|line| line.starts_with(wanted)),
            "{wanted}"
        );
    }
}

#[tokio::test]
async fn hashes_are_those_of_the_file_and_of_its_parts() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    assert_eq!(client.put("STOR file", b"123456789").await, 226);
    for (line, reply) in [
        ("XCRC file", "250 CBF43926\r\n"),
        ("XMD5 file", "250 25F9E794323B453885F5181F1B624D0B\r\n"),
        (
            "MD5 file",
            "251 \"file\" 25F9E794323B453885F5181F1B624D0B\r\n",
        ),
        (
            "XSHA file",
            "250 F7C3BC1D808E04732ADF679965CCC34CA7AE3441\r\n",
        ),
        (
            "XSHA1 \"file\" 0 9",
            "250 F7C3BC1D808E04732ADF679965CCC34CA7AE3441\r\n",
        ),
        // As `printf 345 | md5sum` has it.
        (
            "XMD5 \"file\" 2 5",
            "250 D81F9C1BE2E08964BF9F24B15F0E4900\r\n",
        ),
        // Without quotes a file of that name would come first.
        ("XMD5 file 2 5", "250 D81F9C1BE2E08964BF9F24B15F0E4900\r\n"),
        ("XCRC file 8", "250 8D076785\r\n"),
        ("OPTS HASH MD5", "200 MD5\r\n"),
        ("RANG 2 4", "350 Restarting at 2. End byte range at 4.\r\n"),
        (
            "HASH file",
            "213 MD5 2-4 d81f9c1be2e08964bf9f24b15f0e4900 file\r\n",
        ),
        (
            "HASH file",
            "213 MD5 0-8 25f9e794323b453885f5181f1b624d0b file\r\n",
        ),
        ("AVBL", "213 67108855\r\n"),
        ("DSIZ", "213 9\r\n"),
    ] {
        assert_eq!(client.tell(line).await.1, reply, "{line}");
    }
    assert_eq!(client.put("STOR more", b"0").await, 226);
    assert_eq!(client.ask("COMB file more").await, 250);
    assert_eq!(client.get("RETR file").await, (226, b"1234567890".to_vec()));
    assert_eq!(client.ask("SIZE more").await, 550);
    assert_eq!(client.ask("SITE COPY file \"a copy\"").await, 200);
    assert_eq!(client.get("RETR a copy").await.1, b"1234567890");
    assert_eq!(client.ask("SITE MKDIR a/b/c").await, 200);
    assert_eq!(client.put("STOR a/b/file", b"x").await, 226);
    assert_eq!(client.ask("RMD a").await, 550);
    assert_eq!(client.ask("RMDA a").await, 250);
    assert_eq!(client.ask("CWD a").await, 550);
}
