//! The programs of GNU coreutils 9.1, and `hostname` of Debian's package of that name.
//!
//! One file per program; close relatives share one (`md5sum` and its kin, `true` and `false`).

use sundew_kernel::program::Program;

mod about;
mod backup;
mod base;
mod cat;
mod chmod;
mod chown;
mod cksum;
mod copy;
mod cp;
mod csplit;
mod cut;
mod date;
mod dd;
mod df;
pub(crate) use df::mount_of;
mod digest;
mod dircolors;
mod du;
mod echo;
mod env;
mod escape;
mod expr;
mod factor;
mod float;
mod fmt;
mod head;
mod hostname;
mod id;
mod input;
mod join;
mod launch;
mod lines;
mod ln;
mod ls;
mod make;
mod mkdir;
mod mv;
mod nl;
mod numfmt;
mod od;
mod path;
mod pinky;
mod printf;
mod pwd;
mod rm;
mod rmdir;
mod run;
mod selinux;
mod seq;
mod sleep;
mod sort;
mod split;
mod stat;
mod stty;
mod tail;
mod target;
mod tee;
mod test_;
mod touch;
mod tr;
mod true_;
mod tsort;
mod uname;
mod uniq;
mod version;
mod walk;
mod wc;
mod who;

macro_rules! programs {
    ($($name:literal => $module:ident :: $run:ident,)*) => {
        /// The programs of this origin.
        pub(crate) const TABLE: &[Program] =
            &[$(Program { name: $name, run: |proc| Box::pin($module::$run(proc)) },)*];
    };
}

programs! {
    "[" => test_::run_bracket,
    "arch" => uname::run_arch,
    "b2sum" => digest::run_b2,
    "base32" => base::run_32,
    "base64" => base::run,
    "basename" => path::run_basename,
    "basenc" => base::run_basenc,
    "cat" => cat::run,
    "chcon" => selinux::run_chcon,
    "chgrp" => chown::run_chgrp,
    "chmod" => chmod::run,
    "chown" => chown::run,
    "chroot" => run::run_chroot,
    "cksum" => cksum::run,
    "comm" => lines::run_comm,
    "cp" => cp::run,
    "csplit" => csplit::run,
    "cut" => cut::run,
    "date" => date::run,
    "dd" => dd::run,
    "df" => df::run,
    "dir" => ls::run_dir,
    "dircolors" => dircolors::run,
    "dirname" => path::run_dirname,
    "du" => du::run,
    "echo" => echo::run,
    "env" => env::run,
    "expand" => lines::run_expand,
    "expr" => expr::run,
    "factor" => factor::run,
    "false" => true_::run_false,
    "fmt" => fmt::run,
    "fold" => lines::run_fold,
    "groups" => id::run_groups,
    "head" => head::run,
    "hostid" => who::run_hostid,
    "hostname" => hostname::run,
    "id" => id::run,
    "install" => make::run_install,
    "join" => join::run,
    "link" => ln::run_link,
    "ln" => ln::run,
    "logname" => id::run_logname,
    "ls" => ls::run,
    "md5sum" => digest::run_md5,
    "mkdir" => mkdir::run,
    "mkfifo" => make::run_mkfifo,
    "mknod" => make::run_mknod,
    "mktemp" => make::run_mktemp,
    "mv" => mv::run,
    "nice" => run::run_nice,
    "nl" => nl::run,
    "nohup" => run::run_nohup,
    "nproc" => seq::run_nproc,
    "numfmt" => numfmt::run,
    "od" => od::run,
    "paste" => lines::run_paste,
    "pathchk" => path::run_pathchk,
    "pinky" => pinky::run,
    "printenv" => env::run_printenv,
    "printf" => printf::run,
    "pwd" => pwd::run,
    "readlink" => path::run_readlink,
    "realpath" => path::run_realpath,
    "rm" => rm::run,
    "rmdir" => rmdir::run,
    "runcon" => selinux::run_runcon,
    "seq" => seq::run,
    "sha1sum" => digest::run_sha1,
    "sha224sum" => digest::run_sha224,
    "sha256sum" => digest::run_sha256,
    "sha384sum" => digest::run_sha384,
    "sha512sum" => digest::run_sha512,
    "shred" => make::run_shred,
    "shuf" => lines::run_shuf,
    "sleep" => sleep::run,
    "sort" => sort::run,
    "split" => split::run,
    "stat" => stat::run,
    "stdbuf" => run::run_stdbuf,
    "stty" => stty::run,
    "sum" => cksum::run_sum,
    "sync" => who::run_sync,
    "tac" => lines::run_tac,
    "tail" => tail::run,
    "tee" => tee::run,
    "test" => test_::run,
    "timeout" => run::run_timeout,
    "touch" => touch::run,
    "tr" => tr::run,
    "true" => true_::run,
    "truncate" => make::run_truncate,
    "tsort" => tsort::run,
    "tty" => who::run_tty,
    "uname" => uname::run,
    "unexpand" => lines::run_unexpand,
    "uniq" => uniq::run,
    "unlink" => ln::run_unlink,
    "users" => who::run_users,
    "vdir" => ls::run_vdir,
    "wc" => wc::run,
    "who" => who::run,
    "whoami" => id::run_whoami,
    "yes" => seq::run_yes,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sundew_kernel::budget::Limits;
    use sundew_kernel::testing::{Finished, run};
    use sundew_kernel::{ExitStatus, Signal};

    use super::TABLE;

    fn tight() -> Limits {
        Limits {
            memory_bytes: 4 << 20,
            process_cpu: Duration::from_secs(10),
            ..Limits::default()
        }
    }

    fn finished(args: &[&str], stdin: &[u8]) -> Finished {
        run(TABLE, args, stdin, tight())
    }

    #[test]
    fn sorting_endless_input_ends_in_memory_exhausted() {
        for device in ["/dev/zero", "/dev/urandom"] {
            let finished = finished(&["sort", device], b"");
            assert_eq!(finished.stderr, b"sort: memory exhausted\n");
            assert_eq!(finished.status, Some(ExitStatus::Exited(2)));
        }
    }

    #[test]
    fn what_keeps_its_input_stops_at_the_memory_budget() {
        for args in [
            ["tac", "/dev/zero"],
            ["tail", "/dev/zero"],
            ["base64", "/dev/zero"],
        ] {
            let finished = finished(&args, b"");
            let text = format!("{}: memory exhausted\n", args[0]);
            assert_eq!(String::from_utf8_lossy(&finished.stderr), text);
            assert_eq!(finished.status, Some(ExitStatus::FAILURE));
        }
    }

    #[test]
    fn what_needs_no_memory_stops_at_the_cpu_budget() {
        // Each look at the clock takes 200 ns of it: a thousand reads are enough.
        let limits = Limits {
            process_cpu: Duration::from_micros(200),
            ..tight()
        };
        for args in [
            ["od", "/dev/zero"],
            ["wc", "/dev/zero"],
            ["md5sum", "/dev/zero"],
        ] {
            assert_eq!(
                run(TABLE, &args, b"", limits.clone()).status,
                Some(ExitStatus::Signaled(Signal::KILL)),
                "{args:?}"
            );
        }
    }

    #[test]
    fn a_full_device_is_complained_about() {
        let finished = finished(&["cp", "/etc/passwd", "/dev/full"], b"");
        let text = "cp: error writing '/dev/full': No space left on device\n";
        assert_eq!(String::from_utf8_lossy(&finished.stderr), text);
    }

    #[test]
    fn bytes_that_are_no_text_pass_through() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(finished(&["cat"], &all).stdout, all);
        assert_eq!(finished(&["tr", "a", "a"], &all).stdout, all);
    }
}
