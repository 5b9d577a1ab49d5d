//! The camera: a root of BusyBox with every applet linked.

use sundew_kernel::executable::{HEAD_BYTES, build_id, build_id_of, runs_on};
use sundew_persona::{Model, Origin, Persona};
use sundew_vfs::{Context, Credentials, Limits, NoSynthetic, Timestamp};

const BORN: Timestamp = Timestamp {
    secs: 1_795_300_000,
    nanos: 0,
};

fn camera(seed: u8) -> Persona {
    let origin = Origin::new([seed; 32], BORN);
    Persona::new(Model::Camera, &origin, &|_| true).unwrap()
}

#[test]
fn every_applet_leads_to_a_busybox_for_its_processor() {
    let persona = camera(1);
    let vfs = persona.filesystem(Limits::default()).unwrap();
    let creds = Credentials::root();
    let cx = Context {
        creds: &creds,
        synthetic: &NoSynthetic,
        cwd: vfs.root(),
        now: BORN,
    };
    let busybox = vfs.stat(&cx, b"/bin/busybox").unwrap().ino;
    for path in [
        b"/bin/sh".as_slice(),
        b"/bin/ash",
        b"/usr/bin/wget",
        b"/usr/bin/[",
        b"/sbin/ifconfig",
        b"/usr/sbin/telnetd",
        b"/linuxrc",
    ] {
        let found = vfs.stat(&cx, path).map(|metadata| metadata.ino);
        assert_eq!(found, Ok(busybox), "{}", path.escape_ascii());
    }
    let mut head = [0; HEAD_BYTES];
    vfs.read_at(busybox, 0, &mut head).unwrap();
    assert_eq!(build_id_of(&head), Some(build_id(b"busybox")));
    assert!(runs_on(&persona.facts.machine, &head));
    assert!(!runs_on(b"x86_64", &head));
    for empty in [b"/home".as_slice(), b"/mnt", b"/opt", b"/tmp"] {
        let dir = vfs.resolve(&cx, empty, true).unwrap();
        assert!(vfs.read_dir(&cx, dir).unwrap().is_empty());
    }
}

#[test]
fn its_login_is_a_busybox_shell_behind_dropbear() {
    let persona = camera(2);
    let root = persona.user(b"root").unwrap();
    assert_eq!(root.shell, b"/bin/sh");
    let path = persona.environment(root);
    assert_eq!(
        path.value(b"PATH"),
        Some(b"/sbin:/usr/sbin:/bin:/usr/bin".as_slice())
    );
    let daemon = persona.residents.iter().find(|one| one.pid == persona.sshd);
    assert_eq!(daemon.unwrap().name, b"dropbear");
    assert!(
        persona
            .residents
            .iter()
            .all(|one| one.pid <= persona.last_pid)
    );
}

#[test]
fn cameras_differ() {
    let (one, two) = (camera(3), camera(4));
    assert_ne!(one.facts.interfaces[1].mac, two.facts.interfaces[1].mac);
    assert_ne!(one.facts.boot_time, two.facts.boot_time);
}
