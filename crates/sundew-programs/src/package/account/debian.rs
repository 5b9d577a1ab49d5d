//! Debian's adduser 3.134: adduser, addgroup, deluser, delgroup. People are added and taken away
//! by the functions above; here are groups and the system's own users.

use super::*;

/// The group of those who have none: `nogroup`.
const NO_GROUP: u32 = 65_534;

/// What is asked for of a group or of a user of the system.
#[derive(Default)]
struct Request {
    system: bool,
    group: bool,
    id: Option<u32>,
    home: Option<Vec<u8>>,
    shell: Option<Vec<u8>>,
    comment: Vec<u8>,
    names: Vec<Vec<u8>>,
}

impl Request {
    fn read(proc: &Process) -> Self {
        let mut request = Self::default();
        let mut words = proc.args().iter().skip(1).cloned();
        while let Some(word) = words.next() {
            match word.as_slice() {
                b"--system" => request.system = true,
                b"--group" => request.group = true,
                b"--uid" | b"--gid" => request.id = words.next().as_deref().and_then(number),
                b"--home" => request.home = words.next(),
                b"--shell" => request.shell = words.next(),
                b"--gecos" | b"--comment" => request.comment = words.next().unwrap_or_default(),
                b"--ingroup" | b"--firstuid" | b"--lastuid" | b"--firstgid" | b"--lastgid"
                | b"--conf" => drop(words.next()),
                option if option.starts_with(b"-") => {}
                _ => request.names.push(word),
            }
        }
        request
    }
}

/// `adduser`, `addgroup`.
pub(in crate::package) async fn adduser(proc: &mut Process) -> ExitStatus {
    let request = Request::read(proc);
    let own = String::from_utf8_lossy(proc.base_name()).into_owned();
    let of_group = own == "addgroup" || (request.group && !request.system);
    if request.names.is_empty() || request.names.len() > 2 {
        return fail(proc, format!("{own}: Only one or two names allowed.\n"), 1).await;
    }
    match request.names.as_slice() {
        [name] if (of_group || request.system) && proc.credentials().uid == 0 => {
            if of_group {
                add_group(proc, &own, name, &request).await
            } else {
                add_service(proc, &own, name, &request).await
            }
        }
        _ => add_person(proc).await,
    }
}

/// The lowest number of the system's that is free.
fn system_id(taken: impl Fn(u32) -> bool) -> u32 {
    let mut ids = 100..FIRST_ID;
    ids.find(|id| !taken(*id)).unwrap_or(FIRST_ID - 1)
}

async fn add_group(proc: &mut Process, own: &str, name: &[u8], request: &Request) -> ExitStatus {
    let users = Directory::load(proc).await;
    let shown = String::from_utf8_lossy(name).into_owned();
    let taken = |id| users.group_name(id).is_some();
    if users.group(name).is_some() {
        let text = format!("{own}: The group `{shown}' already exists.\n");
        return fail(proc, text, 1).await;
    }
    if let Some(gid) = request.id.filter(|gid| taken(*gid)) {
        let text = format!("{own}: The GID `{gid}' is already in use.\n");
        return fail(proc, text, 1).await;
    }
    let gid = match request.id {
        Some(gid) => gid,
        None if request.system => system_id(taken),
        None => (FIRST_ID..LAST_ID)
            .find(|gid| !taken(*gid))
            .unwrap_or(LAST_ID),
    };
    let row = format!(":x:{gid}:");
    append(proc, GROUP, &[name, row.as_bytes()].concat()).await;
    let text = format!("Adding group `{shown}' (GID {gid}) ...\nDone.\n");
    print(proc, text).await
}

/// `adduser --system`: a user whom nobody logs in as.
async fn add_service(proc: &mut Process, own: &str, name: &[u8], request: &Request) -> ExitStatus {
    let users = Directory::load(proc).await;
    let shown = String::from_utf8_lossy(name).into_owned();
    if let Some(user) = users.user(name) {
        let text = if user.uid < FIRST_ID {
            format!("The system user `{shown}' already exists. Exiting.\n")
        } else {
            format!(
                "{own}: The user `{shown}' already exists, but is not a system user. Exiting.\n"
            )
        };
        let status = u8::from(user.uid >= FIRST_ID);
        return fail(proc, text, status).await;
    }
    if let Some(uid) = request.id.filter(|uid| users.user_by_id(*uid).is_some()) {
        let text = format!("{own}: The UID {uid} is already in use.\n");
        return fail(proc, text, 1).await;
    }
    let free = || system_id(|id| users.user_by_id(id).is_some());
    let uid = request.id.unwrap_or_else(free);
    let mut text = format!("Adding system user `{shown}' (UID {uid}) ...\n");
    let gid = if request.group {
        let gid = system_id(|id| users.group_name(id).is_some());
        let row = format!(":x:{gid}:");
        append(proc, GROUP, &[name, row.as_bytes()].concat()).await;
        text += &format!("Adding new group `{shown}' (GID {gid}) ...\n");
        gid
    } else {
        NO_GROUP
    };
    let group = if request.group { &shown } else { "nogroup" };
    text += &format!("Adding new user `{shown}' (UID {uid}) with group `{group}' ...\n");
    text += &match &request.home {
        Some(home) => {
            let home = String::from_utf8_lossy(home);
            format!("Creating home directory `{home}' ...\n")
        }
        None => "Not creating `/nonexistent'.\n".to_owned(),
    };
    let nologin = || b"/usr/sbin/nologin".to_vec();
    let wishes = Wishes {
        name: name.to_vec(),
        comment: Some(request.comment.clone()),
        make_home: request.home.is_some(),
        home: Some(
            request
                .home
                .clone()
                .unwrap_or_else(|| b"/nonexistent".to_vec()),
        ),
        shell: Some(request.shell.clone().unwrap_or_else(nologin)),
        system: true,
        ..Wishes::default()
    };
    add(proc, &wishes, uid, gid).await;
    print(proc, text).await
}

/// `deluser`, `delgroup`.
pub(in crate::package) async fn deluser(proc: &mut Process) -> ExitStatus {
    let request = Request::read(proc);
    let own = String::from_utf8_lossy(proc.base_name()).into_owned();
    let of_group = own == "delgroup" || request.group;
    if request.names.len() > 2 {
        return fail(proc, format!("{own}: Only one or two names allowed.\n"), 1).await;
    }
    let [name] = request.names.as_slice() else {
        return userdel(proc).await;
    };
    if !of_group || proc.credentials().uid != 0 {
        return userdel(proc).await;
    }
    let users = Directory::load(proc).await;
    let shown = String::from_utf8_lossy(name).into_owned();
    let Some(group) = users.group(name) else {
        let text = format!("{own}: The group `{shown}' does not exist.\n");
        return fail(proc, text, 3).await;
    };
    print(proc, format!("Removing group `{shown}' ...\n")).await;
    if let Some(user) = users.users().iter().find(|user| user.gid == group.gid) {
        let _flushed = proc.flush().await;
        let user = String::from_utf8_lossy(&user.name).into_owned();
        let text = format!(
            "groupdel: cannot remove the primary group of user '{user}'\n{own}: `/sbin/groupdel {shown}' returned error code 8. Exiting.\n"
        );
        return fail(proc, text, 1).await;
    }
    edit(proc, GROUP, |fields| fields.first() != Some(name)).await;
    print(proc, "Done.\n").await
}
