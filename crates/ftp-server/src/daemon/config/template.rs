//! The commented `ftpd.toml` that `ftpd template` prints: every key with its default. A test holds it
//! against the defaults.

/// The text of the file.
pub const TEMPLATE: &str = r#"# Configuration of ftpd: `ftpd --config FILE`. What is commented out is the default.
# `ftpd check FILE` says what is wrong; SIGHUP reads it again. What needs a restart says so.
# Durations: 30 (seconds), "250ms", "5m", "1h". Sizes: 4096, "64k", "10MiB", "2GB".

# The directory served to users who have none of their own.
#root = "/srv/ftp"
# A file of users, with tables like [anna] and the keys of [user.anna] below.
#users_file = "/etc/ftpd/users.toml"

[listen]
# A port on all addresses, IPv4 and IPv6 at once.
#port = 2121
# Or exactly these addresses. All of [listen] but `proxy_from` needs a restart.
#addresses = []
# Addresses where TLS begins before the greeting, as on port 990.
#implicit_tls = []
# Take the sockets systemd has opened (LISTEN_FDS) instead.
#systemd = false
# Networks of load balancers: their connections begin with a PROXY header, version 1 or 2.
#proxy_from = []

[session]
#greeting = "Service ready for new user."
# How long a logged-in client may be silent, and how long anybody may take to log in.
#idle = "5m"
#login = "1m"
# Failed logins after which a connection is closed.
#attempts = 3
# How long a reply may take to be sent.
#write = "30s"
# Longest command line; a longer one is answered 500.
#line_bytes = 4096
# Commands that are not served, such as ["SITE", "MLSD"]; they are answered 502.
#off = []
# The names HOST may give; any if empty.
#hosts = []
# Whether MODE Z is offered, which costs processor time.
#deflate = true

[limits]
# Connections in all, and from one address; one more is told 421.
#connections = 1024
#connections_per_address = 64
# How long transfers may go on after SIGTERM.
#grace = "1m"

[networks]
# Who is greeted at all; everybody if empty. `deny` is stronger.
#allow = []
#deny = []

[anonymous]
# `anonymous` and `ftp` with any password. Takes the keys of a user, but for `password`.
#enabled = true

# A user. `ftpd hash` asks for a password and prints its hash.
#[user.anna]
#password = "$argon2id$v=19$m=19456,t=2,p=1$…"
#enabled = true
# The directory that is / for anna; the `root` above if not given.
#root = "/srv/ftp/anna"
# e enter, l list, r retrieve, a append, d delete, f rename, m make directories, w store, M mode, T time.
#permissions = "elr"
# Other letters in some directories and below them.
#directories = { "/incoming" = "elw" }
#networks = []
# Without a password for whoever shows one of these certificates: SHA-256 in hexadecimal.
#certificates = []
# How long the user may be silent, and what is shown after the login.
#idle = "5m"
#welcome = []
# What has to be under TLS: "none", "control", "data", "both".
#tls = "none"
# Limits; without a key there is none. Rates are bytes a second, all sessions together.
#sessions = 4
#sessions_per_address = 2
#download_rate = "1MB"
#upload_rate = "1MB"
#quota_bytes = "10GB"
#quota_files = 100000
# For each byte given five may be taken, and this many before anything was given.
#ratio = "1:5"
#ratio_credit = "10MB"

[login]
# Users that are not in this file: a program, or a web service, that reads a JSON object with user,
# password, address, and answers with one; see the guide.
#command = []
#url = "https://auth.example.org/login"
# Authorities that sign the certificate of the service, in PEM; the system's if not given.
#authorities = "/etc/ftpd/auth.pem"
#timeout = "5s"
#concurrency = 8

[bans]
# The answer to a wrong login is held back, from the fourth of an address on twice as long each time.
#delay = "1s"
#max_delay = "16s"
# An IPv4 address or IPv6 /64 with so many failures within the window is banned; 0 bans nobody.
#failures = 20
#window = "10m"
#duration = "1h"

[data]
# Ports of passive mode. Any free one if not given.
#ports = "50000-50999"
# The IPv4 address or host name PASV announces, for a server behind address translation,
#advertise = "192.0.2.1"
# and another one for some clients; the smallest network that fits counts.
#advertise_to = { "10.0.0.0/8" = "10.0.0.1" }
# Whether PORT and EPRT are served, and from which port; 20 needs root.
#active = true
#active_port = 20
# Whether several clients share each of `ports`, so that one is enough: they are told apart by their
# addresses, and a client that has all of them waiting is refused with 425.
#shared = false
# Whether data connections may be to and from others than the client (FXP), which is how a server is
# used to attack others: true, false, or the networks of those that may be, such as ["10.0.0.0/8"].
#foreign = false
# How long a data connection may take to come about, and how long not a byte may move.
#connect = "30s"
#idle = "2m"
# How long a transfer may take in all; for ever if not given.
#total = "12h"

[uploads]
# Write uploads under a hidden name and rename them when they are whole, so that nobody sees a part.
#atomic = false
# What becomes of an upload that is cut: "keep" (so that it can be resumed) or "remove".
#partial = "keep"
# What is on the disk when the client is told that its upload is complete: "none" (whatever the system
# has written by then), "file" (fsync), "directory" (the name as well).
#sync = "none"
# Whether a file may take the place of another, by STOR, RNTO or a copy.
#overwrite = true
# Largest upload; for larger ones 552.
#max_bytes = "10GB"
# Set the room aside that a client announces with ALLO.
#preallocate = true
# Uploads are refused with 452 when less is free.
#keep_free = 0
# Permission bits that new files and directories do not get; the umask of the process if not given.
#umask = "022"

[names]
# Patterns of names that no path may have in it and that are not shown, such as [".ht*", "*.exe"];
#deny = []
# and of names that are not shown, such as [".*"].
#hide = []

[links]
# Which symbolic links are followed, never out of the directory that is served: "inside" (all), "owner"
# (those that belong to the owner of what they lead to), "never".
#follow = "inside"

[tls]
# PEM files. Read again on SIGHUP.
#certificate = "/etc/ftpd/cert.pem"
#key = "/etc/ftpd/key.pem"
# Or make a certificate at each start, for first steps.
#self_signed = false
# What has to be under TLS for everybody: "none", "control", "data", "both".
#required = "none"
# Authorities whose clients' certificates are accepted, and whether a client must have one.
#client_authorities = "/etc/ftpd/clients.pem"
#client_required = false
# Refuse data connections that do not resume the TLS session of their control connection.
#require_resumption = false
#only_tls13 = false
# Whether CCC may end TLS on the control connection.
#allow_ccc = true

[log]
# On standard error, of which the form needs a restart: "warn", "info" (with each command), "debug", or per part; "text" or "json".
#filter = "info,ftp_server::connection=warn"
#format = "text"
# Each transfer as a line of xferlog, and everything that happens as JSON. Reopened on SIGHUP.
#transfers = "/var/log/ftpd/xferlog"
#events = "/var/log/ftpd/events.json"

[metrics]
# /metrics for Prometheus and /healthz, on loopback only. Needs a restart.
#listen = "127.0.0.1:9121"

[hooks]
# Programs with their arguments, run before and after the commands in `verbs`. What they are told is
# in their environment. One that exits with another status than 0 before a command refuses it.
#before = []
#after = []
#verbs = []
# Run after each upload and download.
#transfer = []
#timeout = "10s"
#concurrency = 16

[process]
# Needs a restart. Who to become once the ports are open, if started as root.
#user = "ftp"
#group = "ftp"
# Give up everything but the files served and written, where the kernel can (Landlock).
#landlock = true
# Further directories that stay in reach then: those that answers about logins name as `root`.
#reach = []
# The socket `ftpd who` asks.
#control = "/run/ftpd.sock"
# Where ratios and counted quotas are kept from one run to the next; without it they begin anew.
#state = "/var/lib/ftpd/state.json"
"#;
