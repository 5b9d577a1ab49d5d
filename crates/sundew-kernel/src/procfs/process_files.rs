//! The names below `/proc/PID`: proc(5).

use std::sync::Arc;

use super::net;
use super::process_text as text;
use crate::lock;
use crate::machine::Kernel;
use crate::process::state::ProcessState;

/// What a name below `/proc/PID` is.
pub(super) enum Entry {
    Directory,
    File(fn(&Kernel, &Arc<ProcessState>) -> Vec<u8>),
    Link(fn(&ProcessState) -> Option<Vec<u8>>),
    /// The directory of descriptors.
    Descriptors,
    /// What is known of each of them.
    DescriptorInfos,
    /// The threads; each process has one.
    Tasks,
}

use Entry::{DescriptorInfos, Descriptors, Directory, File, Link, Tasks};

/// Every name below `/proc/PID`, what it is, and its mode. A path with a slash lies in a directory of
/// the table.
#[rustfmt::skip]
pub(super) const PROCESS_FILES: &[(&str, Entry, u16)] = &[
    ("arch_status", File(|_, _| b"AVX512_elapsed_ms:\t-1\n".to_vec()), 0o444),
    ("attr", Directory, 0o555),
    ("attr/current", File(|_, _| b"unconfined\n".to_vec()), 0o666),
    ("autogroup", File(|_, _| b"/autogroup-27 nice 0\n".to_vec()), 0o644),
    ("auxv", File(|_, _| Vec::new()), 0o400),
    ("cgroup", File(|kernel, state| text::cgroup(kernel, state)), 0o444),
    ("clear_refs", File(|_, _| Vec::new()), 0o200),
    ("cmdline", File(|_, state| text::nul_ended(&lock(&state.inner).args)), 0o444),
    ("comm", File(|_, state| [lock(&state.inner).name.as_slice(), b"\n"].concat()), 0o644),
    ("coredump_filter", File(|_, _| b"00000033\n".to_vec()), 0o644),
    ("cpu_resctrl_groups", File(|_, _| b"res:\nmon:\n".to_vec()), 0o444),
    ("cpuset", File(|_, _| b"/\n".to_vec()), 0o444),
    ("cwd", Link(|state| Some(lock(&state.inner).directory_path.clone())), 0o777),
    ("environ", File(|_, state| text::environ(state)), 0o400),
    ("exe", Link(|state| Some(lock(&state.inner).executable.clone()).filter(|path| !path.is_empty())), 0o777),
    ("fd", Descriptors, 0o500),
    ("fdinfo", DescriptorInfos, 0o555),
    ("gid_map", File(|_, _| text::ID_MAP.to_vec()), 0o644),
    ("io", File(|kernel, state| text::io(kernel, state)), 0o400),
    ("limits", File(|kernel, state| text::limits(kernel, state)), 0o444),
    ("loginuid", File(|kernel, state| text::login_uid(kernel, state)), 0o644),
    ("map_files", Directory, 0o500),
    ("maps", File(text::maps), 0o444),
    ("mem", File(|_, _| Vec::new()), 0o600),
    ("mountinfo", File(|kernel, _| text::mount_info(kernel)), 0o444),
    ("mounts", File(|kernel, _| text::mounts(kernel)), 0o444),
    ("mountstats", File(|kernel, _| text::mount_stats(kernel)), 0o400),
    ("net", Directory, 0o555),
    ("net/arp", File(|kernel, _| net::arp(kernel)), 0o444),
    ("net/dev", File(|kernel, _| net::dev(kernel)), 0o444),
    ("net/if_inet6", File(|kernel, _| net::if_inet6(kernel)), 0o444),
    ("net/route", File(|kernel, _| net::route(kernel)), 0o444),
    ("net/sockstat", File(|kernel, _| net::sockstat(kernel)), 0o444),
    ("net/tcp", File(|kernel, _| net::tcp(kernel)), 0o444),
    ("net/tcp6", File(|kernel, _| net::tcp6(kernel)), 0o444),
    ("net/udp", File(|kernel, _| net::udp(kernel)), 0o444),
    ("net/udp6", File(|kernel, _| net::udp6(kernel)), 0o444),
    ("net/unix", File(|kernel, _| net::unix(kernel)), 0o444),
    ("ns", Directory, 0o511),
    ("ns/cgroup", Link(|_| Some(b"cgroup:[4026531835]".to_vec())), 0o777),
    ("ns/ipc", Link(|_| Some(b"ipc:[4026531839]".to_vec())), 0o777),
    ("ns/mnt", Link(|_| Some(b"mnt:[4026531841]".to_vec())), 0o777),
    ("ns/net", Link(|_| Some(b"net:[4026531840]".to_vec())), 0o777),
    ("ns/pid", Link(|_| Some(b"pid:[4026531836]".to_vec())), 0o777),
    ("ns/time", Link(|_| Some(b"time:[4026531834]".to_vec())), 0o777),
    ("ns/user", Link(|_| Some(b"user:[4026531837]".to_vec())), 0o777),
    ("ns/uts", Link(|_| Some(b"uts:[4026531838]".to_vec())), 0o777),
    ("numa_maps", File(|_, _| Vec::new()), 0o444),
    ("oom_adj", File(|_, state| format!("{}\n", text::oom_adjust(state) * 17 / 1000).into_bytes()), 0o644),
    ("oom_score", File(|kernel, state| text::oom_score(kernel, state)), 0o444),
    ("oom_score_adj", File(|_, state| format!("{}\n", text::oom_adjust(state)).into_bytes()), 0o644),
    ("pagemap", File(|_, _| Vec::new()), 0o400),
    ("patch_state", File(|_, _| b"-1\n".to_vec()), 0o444),
    ("personality", File(|_, _| b"00000000\n".to_vec()), 0o400),
    ("projid_map", File(|_, _| text::ID_MAP.to_vec()), 0o644),
    ("root", Link(|_| Some(b"/".to_vec())), 0o777),
    ("sched", File(|kernel, state| text::sched(kernel, state)), 0o644),
    ("schedstat", File(|kernel, state| text::schedstat(kernel, state)), 0o444),
    ("sessionid", File(|kernel, state| text::login_session(kernel, state)), 0o444),
    ("setgroups", File(|_, _| b"allow\n".to_vec()), 0o644),
    ("smaps", File(text::smaps), 0o444),
    ("smaps_rollup", File(text::smaps_rollup), 0o444),
    ("stack", File(|kernel, state| text::stack(kernel, state)), 0o400),
    ("stat", File(text::stat), 0o444),
    ("statm", File(text::statm), 0o444),
    ("status", File(text::status), 0o444),
    ("syscall", File(|kernel, state| if text::wait_channel(kernel, state) == "0" { b"running\n".to_vec() } else { b"0 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffd1c2f1d58 0x7f30a3b2c1ed\n".to_vec() }), 0o400),
    ("task", Tasks, 0o555),
    ("task/children", File(|kernel, state| text::children(kernel, state)), 0o444),
    ("timens_offsets", File(|_, _| b"monotonic           0         0\nboottime            0         0\n".to_vec()), 0o644),
    ("timers", File(|_, _| Vec::new()), 0o444),
    ("timerslack_ns", File(|_, _| b"50000\n".to_vec()), 0o666),
    ("uid_map", File(|_, _| text::ID_MAP.to_vec()), 0o644),
    ("wchan", File(|kernel, state| text::wait_channel(kernel, state).as_bytes().to_vec()), 0o444),
];
