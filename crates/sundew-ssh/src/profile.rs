//! What the server says it is: its identification and the lists of its KEXINIT.
//!
//! Data recorded from a real server. The banner and the lists belong together: a banner whose lists
//! no such package ever sent is easier to find than an honest one, so change both or neither.

/// A server as a client can tell it before logging in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The identification line without CR LF.
    pub banner: String,
    /// Key exchange methods, most wanted first.
    pub kex: Vec<String>,
    /// Host key algorithms.
    pub host_key: Vec<String>,
    /// Ciphers, both directions.
    pub cipher: Vec<String>,
    /// MACs, both directions.
    pub mac: Vec<String>,
    /// Compression, both directions.
    pub compression: Vec<String>,
    /// Login methods, in the order they are listed to the client.
    pub methods: Vec<String>,
    /// Failed logins after which the connection is ended (`MaxAuthTries`).
    pub max_auth_tries: u32,
    /// Session channels one connection may have at a time (`MaxSessions`).
    pub max_sessions: usize,
}

impl Profile {
    /// OpenSSH 9.2p1 of Debian 12, as an administrator leaves it who dropped what today's transport
    /// library lacks.
    ///
    /// The stock lists of that package, less sntrup761 (a client since 9.0 would choose it), the umac
    /// family (the first choice of a client that does not choose an AEAD cipher), and groups 16 and 18
    /// (a twelfth and a third of a second of processor time for each connection that asks).
    /// Keyboard-interactive is off in Debian's own configuration.
    pub fn openssh_9_2_debian_12() -> Self {
        Self {
            banner: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10".to_owned(),
            kex: list(
                "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,\
                 ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256,\
                 kex-strict-s-v00@openssh.com",
            ),
            host_key: list("rsa-sha2-512,rsa-sha2-256,ecdsa-sha2-nistp256,ssh-ed25519"),
            cipher: list(
                "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,\
                 aes256-gcm@openssh.com",
            ),
            mac: list(
                "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,\
                 hmac-sha2-256,hmac-sha2-512,hmac-sha1",
            ),
            compression: list("none,zlib@openssh.com"),
            methods: list("publickey,password"),
            max_auth_tries: 6,
            max_sessions: 10,
        }
    }
}

fn list(names: &str) -> Vec<String> {
    names.split(',').map(ToOwned::to_owned).collect()
}
