//! The `sundew.toml` of a first start: every key, commented out, with its default and unit. A test
//! holds it against the defaults.

/// The text of the file.
pub const TEMPLATE: &str = r#"# Sundew's configuration. What is commented out is the default.
# Flags on the command line are stronger. Read at start.

[sensor]
# The name in every event; empty: the host's name.
#name = ""
# What all visitors' machines may use together: live processes, bytes of memory of their programs,
#processes = 20000
#memory = 1073741824
# bytes of files written (they are held in memory), files made.
#files = 2147483648
#inodes = 2097152
# bytes that they send to visitors in an hour.
#output = 17179869184

[ssh]
# Addresses to listen on; IPv4 and IPv6 are separate. Empty: no SSH.
#listen = ["0.0.0.0:2222", "[::]:2222"]
# Seconds in which a client must have logged in.
#login_grace_seconds = 120
# Seconds without a byte in either direction after which a connection is closed.
#idle_seconds = 900
# Connections in all, and from one IPv4 address or IPv6 /64; more are closed at once.
#max_connections = 4096
#max_per_source = 1024
# Who may log in stands in userdb.txt.

[egress]
# "allow": visitors may fetch from public addresses, so that samples can be captured.
# "deny": nothing leaves; every target is unreachable.
#mode = "allow"
# Private, loopback and other special addresses are unreachable for visitors, but for these:
#allow = []
# Public addresses that are unreachable too. Stronger than allow. Example: ["192.0.2.0/24"]
#deny = []
# Connections that visitors may have open: of one machine and of all.
#connections_per_machine = 64
#connections = 4096

[capture]
# Most bytes of one artifact; what is beyond is cut and the artifact says so.
#download_limit = 52428800
# Most bytes of output in one recording.
#recording_limit = 16777216
# Most bytes that artifacts and recordings may take together.
#quota = 10737418240
# Bytes that captures leave free on the disk, for the events.
#min_free = 536870912

[machine]
# The machine that visitors find: "debian12", a server, or "camera", an ARM camera with BusyBox.
#persona = "debian12"
# An image made with `sundew fs build` or `sundew fs import`, in place of the persona's own files.
#image = ""
# true: who comes back from the same address (IPv6: /64) finds the files as they were left.
# false: every connection starts from the same pristine machine.
#persist = false
# Days without a visit after which such a machine is forgotten, and bytes of all of them together.
#persist_days = 7
#persist_quota = 2147483648
# What one visitor's machine may use: live processes, open files of one process and of all, bytes of memory,
#processes = 200
#descriptors = 1024
#open_files = 8192
#memory = 67108864
# seconds of CPU time of one process and of the whole machine, percent of a core in the long run,
#process_cpu_seconds = 5
#machine_cpu_seconds = 120
#cpu_share_percent = 20
# bytes sent to the visitor, bytes of files written, files made.
#output = 268435456
#files = 268435456
#inodes = 65536

[source]
# What all machines of one address (IPv6: /64) may use together, however many connections it has:
# live processes, bytes of memory, bytes of files written, files made,
#processes = 1000
#memory = 268435456
#files = 536870912
#inodes = 262144
# bytes sent in an hour,
#output = 1073741824
# seconds of CPU time, percent of a core in the long run.
#cpu_seconds = 600
#cpu_share_percent = 50

[log]
# Sundew's own log, on standard error: "warn", "info", "debug", or per part "warn,sundew_ssh=debug".
#filter = "warn"

[shutdown]
# Seconds that sessions may go on after SIGINT or SIGTERM.
#grace_seconds = 5
"#;
