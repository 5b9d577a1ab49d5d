//! What one address uses up is missing to nobody at another.

use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::process::Child;
use tokio::time::timeout;

use crate::client::{Client, text};
use crate::sensor::{PATIENCE, Sensor, until};

/// A sensor and a client that comes from two addresses.
struct Two {
    sensor: Sensor,
    client: Client,
}

const GREEDY: [&str; 2] = ["-b", "127.0.0.2"];
const MODEST: [&str; 2] = ["-b", "127.0.0.1"];

impl Two {
    async fn start(config: &str) -> Self {
        let sensor = Sensor::start_with(config).await;
        let client = Client::of(&sensor);
        Self { sensor, client }
    }

    async fn run(&self, who: [&str; 2], command: &str) -> String {
        let output = self.client.run(&who, &[command], "").await;
        text(&output.stdout) + &text(&output.stderr)
    }

    /// Waits until the limit is told of as one of this holder.
    async fn told(&self, budget: &str, of: &str) {
        let wanted = |event: &Value| {
            event["eventid"] == "sundew.budget.spent"
                && event["budget"] == budget
                && event["of"] == of
                && event["src_ip"] == "127.0.0.2"
        };
        until("the event", || {
            self.sensor.events().into_iter().find(|event| wanted(event))
        })
        .await;
    }
}

/// The client, once it has said that it is up.
async fn up(mut child: Child) -> Child {
    let mut said = [0; 3];
    let stdout = child.stdout.as_mut().unwrap();
    timeout(PATIENCE, stdout.read_exact(&mut said))
        .await
        .expect("it says nothing")
        .unwrap();
    assert_eq!(said, *b"up\n");
    child
}

#[tokio::test]
async fn what_one_address_uses_up_is_missing_to_nobody_at_another() {
    let mut two = Two::start(
        "[machine]\ncpu_share_percent = 100\n\
         [source]\nprocesses = 12\nfiles = 4000000\ncpu_seconds = 1\ncpu_share_percent = 100\n",
    )
    .await;
    let hold = "head -c 3000000 /dev/zero > /tmp/a; \
                for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; echo up; wait";
    let held = up(two.client.start(&GREEDY, &[hold])).await;

    let fill = "head -c 2000000 /dev/zero > /tmp/b && echo written";
    let refused = two.run(GREEDY, fill).await;
    assert!(refused.contains("No space left on device"), "{refused}");
    assert_eq!(two.run(MODEST, fill).await, "written\n");
    two.told("files", "source").await;

    let pipeline = "true | true | true | true | true && echo fine";
    let refused = two.run(GREEDY, pipeline).await;
    let expected = "fork: retry: Resource temporarily unavailable";
    assert!(refused.contains(expected), "{refused}");
    assert_eq!(two.run(MODEST, pipeline).await, "fine\n");
    two.told("processes", "source").await;
    drop(held);

    let burn = "(while :; do :; done); echo $?";
    let killed = two.run(GREEDY, burn).await;
    assert!(killed.starts_with("137\n"), "{killed}");
    two.told("source_cpu", "source").await;
    assert_eq!(two.run(MODEST, pipeline).await, "fine\n");
    two.sensor.stop().await;
}
