//! What the machine's own `ssh` and `scp` do elsewhere: another sensor is a server like any other.

use crate::client::{Client, text};
use crate::download::{ALLOW, artifact};
use crate::event::{check, only};
use crate::sensor::Sensor;

#[tokio::test]
async fn what_scp_of_the_machine_fetches_is_kept_and_told() {
    let there = Sensor::start().await;
    let mut here = Sensor::start_with(ALLOW).await;
    let port = there.address.port();
    let line = format!(
        "scp -o StrictHostKeyChecking=no -P {port} root@127.0.0.1:/etc/passwd /tmp/x && cat /tmp/x"
    );
    let output = Client::of(&here).exec(&line).await;
    assert!(
        text(&output.stdout).starts_with("root:x:0:0:"),
        "{output:?}"
    );
    let events = here.stop().await;
    let event = only(&events, "cowrie.session.file_download");
    let url = format!("scp://root@127.0.0.1:{port}/etc/passwd");
    assert_eq!(event["url"], url);
    assert_eq!(event["destfile"], "/tmp/x");
    assert_eq!(event["complete"], true, "{event}");
    assert_eq!(artifact(&here, event), output.stdout);
    here.lines().iter().for_each(|line| check(line));
}

#[tokio::test]
async fn ssh_of_the_machine_ends_as_its_command_and_knows_the_host_again() {
    let there = Sensor::start().await;
    let here = Sensor::start_with(ALLOW).await;
    let port = there.address.port();
    let place = format!("-p {port} root@127.0.0.1");
    let line = format!(
        "ssh -o BatchMode=yes {place} id; echo $?; \
         echo hi | ssh -o StrictHostKeyChecking=no {place} 'cat; exit 3'; echo $?; \
         ssh-keygen -F '[127.0.0.1]:{port}' | wc -l"
    );
    let output = Client::of(&here).exec(&line).await;
    assert_eq!(text(&output.stdout), "255\nhi\n3\n2\n", "{output:?}");
    let said = text(&output.stderr);
    assert!(
        said.starts_with("Host key verification failed.\r\n"),
        "{said}"
    );
    assert!(said.contains("Permanently added"), "{said}");
}
