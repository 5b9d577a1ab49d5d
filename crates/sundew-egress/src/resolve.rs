//! Names to addresses, asynchronously: no thread waits for a name server.

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use sundew_kernel::network::ResolveError;

/// Most addresses of one name that are considered.
const MAX_ADDRESSES: usize = 8;
/// Longest name, in bytes: RFC 1035 §2.3.4, as text.
const MAX_NAME_BYTES: usize = 253;

/// Resolves names with the host's configured name servers.
#[derive(Clone)]
pub struct Resolver {
    inner: Option<TokioResolver>,
    deadline: Duration,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl Resolver {
    /// A resolver that uses the host's configuration, or knows no name if that cannot be read.
    pub fn system(deadline: Duration) -> Self {
        let inner = TokioResolver::builder_tokio().and_then(|builder| builder.build());
        if let Err(error) = &inner {
            tracing::warn!(%error, "no name server is configured: attackers' look-ups will fail");
        }
        Self {
            inner: inner.ok(),
            deadline,
        }
    }

    /// The addresses of a name or address literal, IPv4 first as on a host without IPv6 routes.
    ///
    /// # Errors
    ///
    /// [`ResolveError`].
    pub async fn resolve(&self, host: &[u8]) -> Result<Vec<IpAddr>, ResolveError> {
        let name = std::str::from_utf8(host).map_err(|_| ResolveError::NotFound)?;
        if let Ok(literal) = name.parse() {
            return Ok(vec![literal]);
        }
        // What the machine's own /etc/hosts says is not asked of the world.
        if name.eq_ignore_ascii_case("localhost") {
            return Ok(vec![IpAddr::from([127, 0, 0, 1])]);
        }
        if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(is_name_byte) {
            return Err(ResolveError::NotFound);
        }
        let resolver = self.inner.as_ref().ok_or(ResolveError::NotFound)?;
        // A trailing dot keeps the operator's search domains out of it.
        let absolute = format!("{}.", name.trim_end_matches('.'));
        let answer = tokio::time::timeout(self.deadline, resolver.lookup_ip(absolute)).await;
        let addresses = answer
            .map_err(|_| ResolveError::TimedOut)?
            .map_err(|_| ResolveError::NotFound)?;
        let mut addresses: Vec<IpAddr> = addresses.iter().take(MAX_ADDRESSES).collect();
        addresses.sort_by_key(IpAddr::is_ipv6);
        if addresses.is_empty() {
            Err(ResolveError::NotFound)
        } else {
            Ok(addresses)
        }
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}
