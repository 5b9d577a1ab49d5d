//! Visits: what the visitor sees, and what is kept of it.

use crate::client::{Client, text};
use crate::event::{check, ids, only};
use crate::sensor::Sensor;

#[tokio::test]
async fn a_command_has_its_streams_its_status_and_its_events_in_order() {
    let mut sensor = Sensor::start().await;
    let client = Client::of(&sensor);
    let output = client.exec("echo out; echo err >&2; exit 7").await;
    assert_eq!(text(&output.stdout), "out\n");
    assert_eq!(text(&output.stderr), "err\n");
    assert_eq!(output.status.code(), Some(7));
    let events = sensor.stop().await;
    sensor.lines().iter().for_each(|line| check(line));
    assert_eq!(
        ids(&events),
        [
            "cowrie.session.connect",
            "cowrie.client.version",
            "cowrie.client.kex",
            "cowrie.login.success",
            "cowrie.session.params",
            "cowrie.command.input",
            "cowrie.log.closed",
            "cowrie.session.closed",
        ]
    );
    let login = only(&events, "cowrie.login.success");
    assert_eq!(
        (&login["username"], &login["password"]),
        (&"root".into(), &"toor".into())
    );
    assert_eq!(
        only(&events, "cowrie.command.input")["input"],
        "echo out; echo err >&2; exit 7"
    );
    assert_eq!(only(&events, "cowrie.log.closed")["size"], 8);
    assert!(events.iter().all(|event| event.get("late").is_none()));
}

#[tokio::test]
async fn a_wrong_password_takes_its_time_and_the_right_one_does_not() {
    let mut sensor = Sensor::start().await;
    let client = Client::with_passwords(&sensor, &["root", "toor"]);
    let output = client.exec("id -u").await;
    assert_eq!(text(&output.stdout), "0\n", "{output:?}");
    let events = sensor.stop().await;
    let seconds = |id: &str| {
        let time = only(&events, id)["timestamp"].as_str().unwrap()[17..26].to_owned();
        time.parse::<f64>().unwrap()
    };
    assert_eq!(only(&events, "cowrie.login.failed")["password"], "root");
    let waited =
        (seconds("cowrie.login.success") - seconds("cowrie.login.failed")).rem_euclid(60.0);
    assert!(waited >= 0.95, "{waited}");
}

#[tokio::test]
async fn a_terminal_greets_remembers_its_size_and_is_recorded() {
    let mut sensor = Sensor::start().await;
    let client = Client::of(&sensor);
    let output = client.run(&["-tt"], &[], "echo one''two\nexit 5\n").await;
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(5), "{shown}");
    for expected in [
        "Linux ",
        "\r\nDebian GNU/Linux comes with ABSOLUTELY NO WARRANTY",
        "\r\nLast login: ",
        "onetwo",
    ] {
        assert!(shown.contains(expected), "{expected:?} in {shown}");
    }
    let events = sensor.stop().await;
    sensor.lines().iter().for_each(|line| check(line));
    let order = ids(&events);
    let place = |id: &str| order.iter().position(|other| *other == id).unwrap();
    assert!(place("cowrie.client.size") < place("cowrie.session.params"));
    assert!(place("cowrie.session.params") < place("cowrie.command.input"));
    assert_eq!(order.last(), Some(&"cowrie.session.closed"));
    let closed = only(&events, "cowrie.log.closed");
    let file = |key: &str| sensor.directory.path().join(closed[key].as_str().unwrap());
    let cast = std::fs::read_to_string(file("asciicast")).unwrap();
    let head: serde_json::Value = serde_json::from_str(cast.lines().next().unwrap()).unwrap();
    assert_eq!(head["version"], 2);
    assert!(cast.contains("onetwo"));
    let ttylog = std::fs::read(file("ttylog")).unwrap();
    assert!(text(&ttylog).contains("onetwo"));
}

#[tokio::test]
async fn what_comes_in_by_input_and_redirection_is_kept_once() {
    let mut sensor = Sensor::start().await;
    let client = Client::of(&sensor);
    let output = client
        .run(
            &[],
            &["cat > /tmp/payload; echo -n > /tmp/empty"],
            "payload\n",
        )
        .await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let events = sensor.stop().await;
    sensor.lines().iter().for_each(|line| check(line));
    let kept: Vec<_> = events
        .iter()
        .filter(|event| event["eventid"] == "cowrie.session.file_download")
        .collect();
    let mut destinations: Vec<_> = kept
        .iter()
        .map(|event| event["destfile"].as_str().unwrap())
        .collect();
    destinations.sort_unstable();
    assert_eq!(destinations, ["", "/tmp/payload"]);
    assert_eq!(kept[0]["shasum"], kept[1]["shasum"]);
    assert!(kept[0]["duplicate"] != kept[1]["duplicate"], "{kept:?}");
    let artifact = sensor
        .directory
        .path()
        .join(kept[0]["outfile"].as_str().unwrap());
    assert_eq!(std::fs::read(artifact).unwrap(), b"payload\n");
    let order = ids(&events);
    assert_eq!(
        order[order.len() - 2..],
        ["cowrie.log.closed", "cowrie.session.closed"]
    );
}

#[tokio::test]
async fn an_unknown_command_is_told_of_and_the_environment_is_sshds() {
    let mut sensor = Sensor::start().await;
    let client = Client::of(&sensor);
    let output = client
        .run(
            &["-o", "SetEnv=LC_TIME=C EVIL=1"],
            &["echo $LC_TIME,$EVIL,$USER,$HOME,${SSH_CLIENT%% *}; nosuch -x y"],
            "",
        )
        .await;
    assert_eq!(
        text(&output.stdout),
        "C,,root,/root,127.0.0.1\n",
        "{output:?}"
    );
    assert_eq!(output.status.code(), Some(127));
    let events = sensor.stop().await;
    assert_eq!(
        only(&events, "cowrie.command.failed")["input"],
        "nosuch -x y"
    );
    let named = |event: &&serde_json::Value| event["eventid"] == "cowrie.client.var";
    let names: Vec<_> = events
        .iter()
        .filter(named)
        .map(|event| event["name"].clone())
        .collect();
    assert_eq!(names, ["LC_TIME", "EVIL"]);
}
