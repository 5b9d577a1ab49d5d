//! The programs of GNU coreutils 9.1, and `hostname` of Debian's package of that name.
//!
//! One file per program; close relatives share one (`md5sum` and its kin, `true` and `false`).

use sundew_kernel::program::Program;

mod about;
mod cat;
mod chmod;
mod chown;
mod date;
mod echo;
mod env;
mod escape;
mod hostname;
mod id;
mod input;
mod launch;
mod mkdir;
mod pwd;
mod rm;
mod rmdir;
mod sleep;
mod tee;
mod touch;
mod true_;
mod uname;
mod copy;
mod cp;
mod ln;
mod ls;
mod mv;
mod path;
mod target;
mod version;
mod cut;
mod head;
mod tail;
mod uniq;
mod wc;
mod sort;
mod test_;
mod tr;
mod stat;
mod df;
mod du;
mod digest;
mod base;
mod float;
mod printf;
mod seq;
mod expr;
mod run;
mod who;
mod dd;
mod od;
mod make;
mod lines;
mod walk;

macro_rules! programs {
    ($($name:literal => $module:ident :: $run:ident,)*) => {
        /// The programs of this origin.
        pub(crate) const TABLE: &[Program] =
            &[$(Program { name: $name, run: |proc| Box::pin($module::$run(proc)) },)*];
    };
}

programs! {
    "shuf" => lines::run_shuf,
    "unexpand" => lines::run_unexpand,
    "expand" => lines::run_expand,
    "fold" => lines::run_fold,
    "comm" => lines::run_comm,
    "paste" => lines::run_paste,
    "nl" => lines::run_nl,
    "tac" => lines::run_tac,
    "shred" => make::run_shred,
    "install" => make::run_install,
    "truncate" => make::run_truncate,
    "mknod" => make::run_mknod,
    "mkfifo" => make::run_mkfifo,
    "mktemp" => make::run_mktemp,
    "od" => od::run,
    "dd" => dd::run,
    "sync" => who::run_sync,
    "hostid" => who::run_hostid,
    "tty" => who::run_tty,
    "users" => who::run_users,
    "who" => who::run,
    "chroot" => run::run_chroot,
    "stdbuf" => run::run_stdbuf,
    "timeout" => run::run_timeout,
    "nohup" => run::run_nohup,
    "nice" => run::run_nice,
    "expr" => expr::run,
    "factor" => seq::run_factor,
    "nproc" => seq::run_nproc,
    "yes" => seq::run_yes,
    "seq" => seq::run,
    "printf" => printf::run,
    "base32" => base::run_32,
    "base64" => base::run,
    "sha512sum" => digest::run_sha512,
    "sha384sum" => digest::run_sha384,
    "sha256sum" => digest::run_sha256,
    "sha224sum" => digest::run_sha224,
    "sha1sum" => digest::run_sha1,
    "md5sum" => digest::run_md5,
    "du" => du::run,
    "df" => df::run,
    "stat" => stat::run,
    "[" => test_::run_bracket,
    "test" => test_::run,
    "tr" => tr::run,
    "sort" => sort::run,
    "wc" => wc::run,
    "uniq" => uniq::run,
    "tail" => tail::run,
    "head" => head::run,
    "cut" => cut::run,
    "vdir" => ls::run_vdir,
    "dir" => ls::run_dir,
    "ls" => ls::run,
    "unlink" => ln::run_unlink,
    "link" => ln::run_link,
    "ln" => ln::run,
    "mv" => mv::run,
    "cp" => cp::run,
    "pathchk" => path::run_pathchk,
    "realpath" => path::run_realpath,
    "readlink" => path::run_readlink,
    "dirname" => path::run_dirname,
    "basename" => path::run_basename,
    "arch" => uname::run_arch,
    "cat" => cat::run,
    "chgrp" => chown::run_chgrp,
    "chmod" => chmod::run,
    "chown" => chown::run,
    "date" => date::run,
    "echo" => echo::run,
    "env" => env::run,
    "false" => true_::run_false,
    "groups" => id::run_groups,
    "hostname" => hostname::run,
    "id" => id::run,
    "logname" => id::run_logname,
    "mkdir" => mkdir::run,
    "printenv" => env::run_printenv,
    "pwd" => pwd::run,
    "rm" => rm::run,
    "rmdir" => rmdir::run,
    "sleep" => sleep::run,
    "tee" => tee::run,
    "touch" => touch::run,
    "true" => true_::run,
    "uname" => uname::run,
    "whoami" => id::run_whoami,
}
