//! hostname(1) and dnsdomainname(1), of Debian's own package `hostname` 3.23.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::input;
use crate::getopt::{Arity, Getopt, Spec};

const SPEC: Spec = Spec::new(
    "aAbdfF:hiIsvVy",
    &[
        ("alias", Arity::No, "a"),
        ("all-fqdns", Arity::No, "A"),
        ("all-ip-addresses", Arity::No, "I"),
        ("boot", Arity::No, "b"),
        ("domain", Arity::No, "d"),
        ("file", Arity::Required, "F"),
        ("fqdn", Arity::No, "f"),
        ("help", Arity::No, "h"),
        ("ip-address", Arity::No, "i"),
        ("long", Arity::No, "f"),
        ("nis", Arity::No, "y"),
        ("short", Arity::No, "s"),
        ("version", Arity::No, "V"),
        ("yp", Arity::No, "y"),
    ],
);

const USAGE: &str = "\
Usage: hostname [-b] {hostname|-F file}         set host name (from file)
       hostname [-a|-A|-d|-f|-i|-I|-s|-y]       display formatted name
       hostname                                 display host name

       {yp,nis,}domainname {nisdomain|-F file}  set NIS domain name (from file)
       {yp,nis,}domainname                      display NIS domain name

       dnsdomainname                            display dns domain name

       hostname -V|--version|-h|--help          print info and exit

Program name:
       {yp,nis,}domainname=hostname -y
       dnsdomainname=hostname -d

Program options:
    -a, --alias            alias names
    -A, --all-fqdns        all long host names (FQDNs)
    -b, --boot             set default hostname if none available
    -d, --domain           DNS domain name
    -f, --fqdn, --long     long host name (FQDN)
    -F, --file             read host name or NIS domain name from given file
    -i, --ip-address       addresses for the host name
    -I, --all-ip-addresses all addresses for the host
    -s, --short            short host name
    -y, --yp, --nis        NIS/YP domain name

Description:
   This command can get or set the host name or the NIS domain name. You can
   also get the DNS domain or the FQDN (fully qualified domain name).
   Unless you are using bind or NIS for host lookups you can change the
   FQDN (Fully Qualified Domain Name) and the DNS domain name (which is
   part of the FQDN) in the /etc/hosts file.
";

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut what = match proc.base_name() {
        b"dnsdomainname" => "d",
        b"domainname" | b"ypdomainname" | b"nisdomainname" => "y",
        _ => "",
    };
    let mut options = Getopt::new(&SPEC, proc.args());
    let mut file = None;
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("F", value)) => file = Some(value),
            Ok(("b" | "v", _)) => {}
            Ok(("V", _)) => {
                // A closed output is reported when the program ends.
                let _reported_at_exit = proc.print(b"hostname 3.23\n").await;
                return proc.status();
            }
            Ok(("h", _)) => {
                // A closed output is reported when the program ends.
                let _reported_at_exit = proc.print(USAGE.as_bytes()).await;
                return ExitStatus::Exited(255);
            }
            Ok((key, _)) => what = key,
            Err(error) => {
                proc.complain_text(error.text()).await;
                // The usage is no complaint to it; a closed output is reported when it ends.
                let _reported_at_exit = proc.print(USAGE.as_bytes()).await;
                return ExitStatus::Exited(255);
            }
        }
    }
    let operands = options.operands();
    if operands.len() > 1 {
        proc.print_error(USAGE.as_bytes()).await;
        return ExitStatus::Exited(255);
    }
    let named = operands.first().cloned();
    if named.is_none() && file.is_none() {
        return answer(proc, what).await;
    }
    let Some(name) = (match file {
        Some(path) => of_file(proc, &path).await,
        None => named,
    }) else {
        return ExitStatus::FAILURE;
    };
    set(proc, &name).await
}

/// The first line of a file that is no comment.
async fn of_file(proc: &mut Process, path: &[u8]) -> Option<Vec<u8>> {
    let fd = match input::open(proc, path).await {
        Ok(fd) => fd,
        Err(errno) => {
            proc.complain_text(errno.message()).await;
            return None;
        }
    };
    let read = proc.read_to_end(fd).await;
    input::close(proc, fd);
    let (text, _memory) = read.ok()?;
    let mut lines = text.split(|&byte| byte == b'\n');
    let name = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"));
    Some(name.unwrap_or_default().trim_ascii().to_vec())
}

async fn set(proc: &mut Process, name: &[u8]) -> ExitStatus {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.".contains(byte);
    let outside = |byte: &u8| byte.is_ascii_alphanumeric();
    let valid = name.iter().all(plain)
        && name.first().is_some_and(outside)
        && name.last().is_some_and(outside);
    let text = if valid {
        match proc.set_hostname(name) {
            Ok(()) => return proc.status(),
            Err(Errno::Einval) => "name too long",
            Err(_) => "you must be root to change the host name",
        }
    } else {
        "the specified hostname is invalid"
    };
    proc.complain_text(text).await;
    proc.status()
}

async fn answer(proc: &mut Process, what: &str) -> ExitStatus {
    let name = proc.hostname();
    let short = name
        .split(|&byte| byte == b'.')
        .next()
        .unwrap_or_default()
        .to_vec();
    let text = match what {
        "" => name,
        "s" => short,
        "y" if proc.base_name() == b"domainname" => b"(none)".to_vec(),
        "y" => {
            // On standard output, as the original has it.
            let text = [proc.base_name(), b": Local domain name not set\n"].concat();
            // A closed output is reported when the program ends.
            let _reported_at_exit = proc.print(&text).await;
            return ExitStatus::FAILURE;
        }
        "I" => {
            let mut text = Vec::new();
            for interface in proc
                .facts()
                .interfaces
                .iter()
                .filter(|interface| interface.name != b"lo")
            {
                let ipv4 = interface.ipv4.map(|(address, _)| address.to_string());
                let ipv6 = interface
                    .ipv6
                    .filter(|(address, _)| !address.is_unicast_link_local());
                let ipv6 = ipv6.map(|(address, _)| address.to_string());
                for address in [ipv4, ipv6].into_iter().flatten() {
                    text.extend_from_slice(address.as_bytes());
                    text.push(b' ');
                }
            }
            text
        }
        what => {
            let Some((address, names)) = hosts_entry(proc, &name).await else {
                proc.complain_text("Name or service not known").await;
                return proc.status();
            };
            let full = names.first().cloned().unwrap_or_default();
            match what {
                "i" => address,
                "a" => names.get(1..).unwrap_or_default().join(&b' '),
                "d" => {
                    let dot = full.iter().position(|&byte| byte == b'.');
                    match dot.and_then(|dot| full.get(dot + 1..)) {
                        Some(domain) => domain.to_vec(),
                        None => return proc.status(),
                    }
                }
                "A" => [full.as_slice(), b" "].concat(),
                _ => full,
            }
        }
    };
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&[text.as_slice(), b"\n"].concat()).await;
    proc.status()
}

/// Address and names of the line of `/etc/hosts` that has this name.
async fn hosts_entry(proc: &mut Process, name: &[u8]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let fd = input::open(proc, b"/etc/hosts").await.ok()?;
    let read = proc.read_to_end(fd).await;
    input::close(proc, fd);
    let (text, _memory) = read.ok()?;
    text.split(|&byte| byte == b'\n').find_map(|line| {
        let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let address = words.next()?.to_vec();
        let names: Vec<Vec<u8>> = words.map(<[u8]>::to_vec).collect();
        names
            .iter()
            .any(|known| known == name)
            .then_some((address, names))
    })
}
