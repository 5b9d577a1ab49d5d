//! AsyncSSH as the client: another implementation with habits of its own.

use std::path::PathBuf;
use std::process::Stdio;

use crate::client::{finish, text};
use crate::sensor::{PASSWORD, sensor};

/// Where `scripts/test` puts the Python peers.
fn python() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers/venv/bin");
    let peers =
        std::env::var_os("SUNDEW_PEERS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    peers.join("python")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_closes_at_once_loses_nothing() {
    let sensor = sensor().await;
    let script = r#"
import asyncio, asyncssh, sys
port, password = int(sys.argv[1]), sys.argv[2]
options = dict(username='root', password=password, known_hosts=None, client_keys=None, agent_path=None,
               config=None, preferred_auth='password,keyboard-interactive', compression_algs=['none'])

async def one(kex, n):
    async with asyncssh.connect('127.0.0.1', port, kex_algs=[kex], **options) as conn:
        r = await conn.run('both')
        assert (r.stdout, r.stderr, r.exit_status) == ('to stdout\n', 'to stderr\n', 3), r
        r = await conn.run(f'pattern {n}', encoding=None)
        assert len(r.stdout) == n and r.exit_status == 0, len(r.stdout)
        r = await conn.run('killed SEGV')
        assert r.exit_status == -1 and r.exit_signal[0] == 'SEGV', r
        r = await conn.run('cat', input=b'x' * n, encoding=None)
        assert len(r.stdout) == n, len(r.stdout)

async def main():
    for kex in ('curve25519-sha256', 'curve25519-sha256@libssh.org', 'ecdh-sha2-nistp256',
                'diffie-hellman-group14-sha256', 'diffie-hellman-group-exchange-sha256'):
        await asyncio.gather(*(one(kex, n) for n in (1, 2, 70000, 200000)))
    try:
        await asyncssh.connect('127.0.0.1', port, **dict(options, password='wrong'))
    except asyncssh.PermissionDenied:
        print('done')

asyncio.run(main())
"#;
    let child = tokio::process::Command::new(python())
        .args([
            "-c",
            script,
            &sensor.addresses[0].port().to_string(),
            PASSWORD,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let output = finish(child.expect("no Python peers: run scripts/test once")).await;
    assert_eq!(text(&output.stdout), "done\n", "{}", text(&output.stderr));
}
