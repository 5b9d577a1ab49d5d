//! The loads, one function per line of the table.

use std::fs::File;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};

use super::Options;
use super::client::Client;
use super::data::{BIG_BYTES, Data, ENTRIES, MIDDLE_BYTES, SMALL_BYTES, SMALL_FILES, block};
use super::peer::Running;

/// One line of the table.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    /// What the rate counts.
    pub(crate) rate: &'static str,
    /// What the cost is of.
    pub(crate) cost: &'static str,
    pub(crate) is_tls: bool,
    /// Measured in the first run only.
    pub(crate) is_once: bool,
    pub(crate) run: fn(&Load<'_>) -> Result<Figures>,
}

/// What one run of a line has given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) rate: Option<f64>,
    pub(crate) cost: f64,
}

const GIB: f64 = (1_u64 << 30) as f64;
const GIB_COST: &str = "CPU s/GiB";
const THOUSAND_COST: &str = "CPU ms/1000";

/// Every line, in the order they are measured and shown.
pub(crate) const LINES: &[Line] = &[
    line("idle session", "", "KiB", idle).once(),
    line("RETR, 1 session", "MiB/s", GIB_COST, |load| {
        load.retr(1, "big", BIG_BYTES, 8)
    }),
    line("RETR, 4 sessions", "MiB/s", GIB_COST, |load| {
        load.retr(4, "big", BIG_BYTES, 3)
    }),
    line("RETR, 50 sessions", "MiB/s", GIB_COST, |load| {
        load.retr(50, "middle", MIDDLE_BYTES, 4)
    }),
    line("STOR, 1 session", "MiB/s", GIB_COST, |load| load.stor(1, 8)),
    line("STOR, 4 sessions", "MiB/s", GIB_COST, |load| {
        load.stor(4, 3)
    }),
    line("small files, 1 session", "files/s", THOUSAND_COST, |load| {
        load.small(1, 2000, false)
    }),
    line(
        "small files, 8 sessions",
        "files/s",
        THOUSAND_COST,
        |load| load.small(8, 500, false),
    ),
    line("login and QUIT", "logins/s", THOUSAND_COST, |load| {
        load.login(4, 250)
    }),
    line("NOOP, 50 sessions", "NOOP/s", THOUSAND_COST, |load| {
        load.noop(50, 1, 1000)
    }),
    line("NOOP, 32 at a time", "NOOP/s", THOUSAND_COST, |load| {
        load.noop(8, 32, 500)
    }),
    line("LIST of 10,000", "lists/s", "CPU ms", |load| {
        load.list("LIST", 10)
    }),
    line("MLSD of 10,000", "lists/s", "CPU ms", |load| {
        load.list("MLSD", 10)
    }),
    line("FTPS RETR, 1 session", "MiB/s", GIB_COST, |load| {
        load.secure_retr(1, 4)
    })
    .tls(),
    line("FTPS RETR, 4 sessions", "MiB/s", GIB_COST, |load| {
        load.secure_retr(4, 2)
    })
    .tls(),
    line(
        "FTPS small files, 4 sessions",
        "files/s",
        THOUSAND_COST,
        |load| load.small(4, 250, true),
    )
    .tls(),
];

const fn line(
    name: &'static str,
    rate: &'static str,
    cost: &'static str,
    run: fn(&Load<'_>) -> Result<Figures>,
) -> Line {
    Line {
        name,
        rate,
        cost,
        is_tls: false,
        is_once: false,
        run,
    }
}

impl Line {
    const fn tls(mut self) -> Self {
        self.is_tls = true;
        self
    }

    const fn once(mut self) -> Self {
        self.is_once = true;
        self
    }
}

/// A server under load.
pub(crate) struct Load<'a> {
    server: &'a Running,
    data: &'a Data,
    /// What counts are divided by.
    divisor: usize,
}

/// Longest that new operations of a line begin: what they cost shows in fewer of them, and some servers
/// take fifty times as long as others.
const MOST_TIME: Duration = Duration::from_secs(3);

/// Operations of all sessions together, each begun only while there is time.
#[derive(Default)]
struct Turns {
    start: OnceLock<Instant>,
    begun: AtomicUsize,
}

impl Turns {
    /// Whether there is time for one more, which is counted.
    fn begin(&self) -> bool {
        let start = self.start.get_or_init(Instant::now);
        let may = start.elapsed() < MOST_TIME;
        self.begun.fetch_add(usize::from(may), Ordering::Relaxed);
        may
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }
}

/// Sessions opened for the line of memory.
const IDLE_SESSIONS: usize = 500;

impl<'a> Load<'a> {
    pub(crate) const fn new(options: &Options, data: &'a Data, server: &'a Running) -> Self {
        Self {
            server,
            data,
            divisor: if options.quick { 10 } else { 1 },
        }
    }

    fn count(&self, count: usize) -> usize {
        (count / self.divisor).max(1)
    }

    fn client(&self, number: usize, tls: bool) -> Result<Client> {
        let client = Client::ready(self.server.port(), address(number), tls);
        client.with_context(|| format!("session {number}"))
    }

    /// Opens sessions, lets each do its work at the same time as the others, and measures that alone.
    fn together<S: Send>(
        &self,
        sessions: usize,
        prepare: impl Fn(usize) -> Result<S> + Sync,
        work: impl Fn(usize, &mut S) -> Result<()> + Sync,
    ) -> Result<(Duration, Duration)> {
        // One after the other: servers with a short queue lose connections in a burst.
        let prepared: Vec<S> = (0..sessions).map(&prepare).collect::<Result<_>>()?;
        let barrier = Barrier::new(sessions + 1);
        thread::scope(|scope| {
            let threads: Vec<_> = prepared
                .into_iter()
                .enumerate()
                .map(|(number, mut session)| {
                    let (barrier, work) = (&barrier, &work);
                    scope.spawn(move || {
                        barrier.wait();
                        let result = work(number, &mut session);
                        barrier.wait();
                        result
                    })
                })
                .collect();
            let (cpu, start) = (self.server.cpu(), Instant::now());
            barrier.wait();
            barrier.wait();
            let (time, cpu) = (start.elapsed(), self.server.cpu().saturating_sub(cpu));
            for thread in threads {
                thread.join().map_err(|_| anyhow!("a session panicked"))??;
            }
            Ok((time, cpu))
        })
    }

    fn retr(&self, sessions: usize, name: &str, bytes: usize, count: usize) -> Result<Figures> {
        self.fetch(sessions, name, bytes, self.count(count), false)
    }

    fn secure_retr(&self, sessions: usize, count: usize) -> Result<Figures> {
        self.fetch(sessions, "big", BIG_BYTES, self.count(count), true)
    }

    fn fetch(
        &self,
        sessions: usize,
        name: &str,
        bytes: usize,
        count: usize,
        tls: bool,
    ) -> Result<Figures> {
        let expected = block(bytes);
        let command = format!("RETR {name}");
        let prepare = |number| {
            let mut client = self.client(number, tls)?;
            // Every byte is looked at once, outside of what is measured.
            if number == 0 {
                let mut whole = Vec::with_capacity(bytes);
                client.fetch(&command, &mut whole)?;
                if whole != expected {
                    bail!("{name} arrived changed");
                }
            }
            Ok((client, vec![0; 1 << 20]))
        };
        let (time, cpu) = self.together(sessions, prepare, |_, (client, buffer)| {
            for _ in 0..count {
                let length = client.discard(&command, buffer)?;
                if length != bytes {
                    bail!("{length} bytes of {name}");
                }
            }
            Ok(())
        })?;
        let moved = (sessions * count * bytes) as f64;
        Ok(bulk(moved, time, cpu))
    }

    fn stor(&self, sessions: usize, count: usize) -> Result<Figures> {
        let (bytes, count) = (BIG_BYTES / 4, self.count(count));
        let source = self.data.file("upload");
        std::fs::write(&source, block(bytes))?;
        let prepare = |number| Ok((self.client(number, false)?, File::open(&source)?));
        let (time, cpu) = self.together(sessions, prepare, |number, (client, file)| {
            for turn in 0..count {
                client.store(&format!("pub/up-{number}-{turn}"), file, bytes)?;
            }
            Ok(())
        })?;
        for number in 0..sessions {
            let stored = self.data.root().join(format!("pub/up-{number}-0"));
            if std::fs::read(stored)? != block(bytes) {
                bail!("a file was stored changed");
            }
        }
        self.data.clean()?;
        let moved = (sessions * count * bytes) as f64;
        Ok(bulk(moved, time, cpu))
    }

    fn small(&self, sessions: usize, count: usize, tls: bool) -> Result<Figures> {
        let (count, turns) = (self.count(count), Turns::default());
        let expected = block(SMALL_BYTES);
        let prepare = |number| self.client(number, tls);
        let (time, cpu) = self.together(sessions, prepare, |number, client| {
            let (mut file, mut fetched) = (Vec::new(), 0);
            for turn in (0..count).take_while(|_| turns.begin()) {
                fetched += 1;
                let name = (turn + number * 37) % SMALL_FILES;
                client.fetch(&format!("RETR small/f{name:04}"), &mut file)?;
                if file != expected {
                    bail!("a small file arrived changed");
                }
            }
            if tls && client.resumed < fetched {
                bail!("{} of {fetched} sessions resumed", client.resumed);
            }
            Ok(())
        })?;
        Ok(each(turns.begun(), time, cpu))
    }

    fn login(&self, sessions: usize, count: usize) -> Result<Figures> {
        let (count, turns) = (self.count(count), Turns::default());
        let (time, cpu) = self.together(
            sessions,
            |_| Ok(()),
            |number, ()| {
                for _ in (0..count).take_while(|_| turns.begin()) {
                    let mut client = Client::connect(self.server.port(), address(number))?;
                    client.log_in()?;
                    client.ask("QUIT", 221)?;
                    client.end()?;
                }
                Ok(())
            },
        )?;
        Ok(each(turns.begun(), time, cpu))
    }

    fn noop(&self, sessions: usize, depth: usize, count: usize) -> Result<Figures> {
        let count = self.count(count);
        let lines = b"NOOP\r\n".repeat(depth);
        let prepare = |number| self.client(number, false);
        let (time, cpu) = self.together(sessions, prepare, |_, client| {
            for _ in 0..count {
                client.send(&lines)?;
                for _ in 0..depth {
                    client.expect(200)?;
                }
            }
            Ok(())
        })?;
        Ok(each(sessions * count * depth, time, cpu))
    }

    fn list(&self, verb: &str, count: usize) -> Result<Figures> {
        let (count, turns) = (self.count(count), Turns::default());
        let prepare = |number| {
            let mut client = self.client(number, false)?;
            client.ask("CWD list", 250)?;
            Ok((client, Vec::new()))
        };
        let (time, cpu) = self.together(1, prepare, |_, (client, text)| {
            for _ in (0..count).take_while(|_| turns.begin()) {
                client.fetch(verb, text)?;
                let names = text.split(|&byte| byte == b'\n');
                let found = names.filter(|line| contains(line, b"entry-")).count();
                if found != ENTRIES {
                    bail!("{verb}: {found} entries");
                }
            }
            Ok(())
        })?;
        let count = turns.begun() as f64;
        Ok(Figures {
            rate: Some(count / time.as_secs_f64()),
            cost: cpu.as_secs_f64() * 1e3 / count,
        })
    }
}

fn idle(load: &Load<'_>) -> Result<Figures> {
    let sessions = load.count(IDLE_SESSIONS);
    // What the first session makes the server set up once is not what a session costs.
    let first = load.client(sessions, false)?;
    let before = load.server.memory_kib();
    let clients: Vec<_> = (0..sessions)
        .map(|number| load.client(number, false))
        .collect::<Result<_>>()?;
    let after = load.server.memory_kib();
    drop(clients);
    drop(first);
    Ok(Figures {
        rate: None,
        cost: after.saturating_sub(before) as f64 / sessions as f64,
    })
}

/// Every session has an address of its own, as clients have.
fn address(number: usize) -> Ipv4Addr {
    let [high, low] = u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes();
    Ipv4Addr::new(127, 1, high, low.max(1))
}

fn bulk(bytes: f64, time: Duration, cpu: Duration) -> Figures {
    Figures {
        rate: Some(bytes / f64::from(1 << 20) / time.as_secs_f64()),
        cost: cpu.as_secs_f64() / (bytes / GIB),
    }
}

fn each(count: usize, time: Duration, cpu: Duration) -> Figures {
    Figures {
        rate: Some(count as f64 / time.as_secs_f64()),
        cost: cpu.as_secs_f64() * 1e6 / count as f64,
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
