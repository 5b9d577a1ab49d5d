//! Amounts that several holders use together: a tree of counters with limits, such as bytes of memory of
//! a machine, of all machines of one address, and of all there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Whom an amount is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// One process.
    Process,
    /// One machine.
    Machine,
    /// All machines of one source address.
    Source,
    /// All machines.
    Sensor,
}

impl Holder {
    /// Its name for the operator.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Machine => "machine",
            Self::Source => "source",
            Self::Sensor => "sensor",
        }
    }
}

/// The part of a source's limit that it gets even when others have used up all that the sensor has: they
/// may take the rest from it, not this.
pub const OWN_PART: u64 = 16;

/// A counter with a limit. What is taken from it is taken from those above it as well.
#[derive(Debug)]
pub struct Pool {
    of: Holder,
    used: AtomicU64,
    limit: AtomicU64,
    above: Option<Arc<Self>>,
}

impl Pool {
    /// A counter below another one.
    #[must_use]
    pub fn new(of: Holder, limit: u64, above: Option<Arc<Self>>) -> Arc<Self> {
        Arc::new(Self {
            of,
            used: AtomicU64::new(0),
            limit: AtomicU64::new(limit),
            above,
        })
    }

    /// How much is in use.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// How much may still be taken, here and above.
    pub fn room(&self) -> u64 {
        let own = self
            .limit
            .load(Ordering::Relaxed)
            .saturating_sub(self.used());
        let left = self.own_part().saturating_sub(self.used());
        self.above
            .as_ref()
            .map_or(own, |above| own.min(above.room().max(left)))
    }

    /// What is taken up to here is taken whatever the limits above say.
    fn own_part(&self) -> u64 {
        match self.of {
            Holder::Source => self.limit.load(Ordering::Relaxed) / OWN_PART,
            Holder::Process | Holder::Machine | Holder::Sensor => 0,
        }
    }

    /// Who is at a limit when `amount` more is wanted.
    #[must_use]
    pub fn full(&self, amount: u64) -> Option<Holder> {
        let limit = self.limit.load(Ordering::Relaxed);
        let after = self.used().saturating_add(amount);
        if after > limit {
            return Some(self.of);
        }
        if after <= self.own_part() {
            return None;
        }
        self.above.as_ref().and_then(|above| above.full(amount))
    }

    /// Replaces the limit; what is in use already stays.
    pub fn set_limit(&self, limit: u64) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Takes `amount`, or nothing.
    ///
    /// # Errors
    ///
    /// Who is at the limit.
    pub fn take(&self, amount: u64) -> Result<(), Holder> {
        let before = self.used.fetch_add(amount, Ordering::Relaxed);
        let after = before.saturating_add(amount);
        let above = match &self.above {
            _ if after > self.limit.load(Ordering::Relaxed) => Err(self.of),
            None => Ok(()),
            Some(above) if after <= self.own_part() => {
                above.force(amount);
                Ok(())
            }
            Some(above) => above.take(amount),
        };
        if above.is_err() {
            self.used.fetch_sub(amount, Ordering::Relaxed);
        }
        above
    }

    /// Takes `amount` whatever the limits say: it is there already.
    pub fn force(&self, amount: u64) {
        self.used.fetch_add(amount, Ordering::Relaxed);
        if let Some(above) = &self.above {
            above.force(amount);
        }
    }

    /// Gives back what was taken.
    pub fn give_back(&self, amount: u64) {
        self.used.fetch_sub(amount, Ordering::Relaxed);
        if let Some(above) = &self.above {
            above.give_back(amount);
        }
    }
}

/// A share of a [`Pool`], given back when it is dropped.
#[derive(Debug)]
pub struct Held {
    pool: Arc<Pool>,
    amount: u64,
}

impl Held {
    /// Nothing of this pool yet.
    #[must_use]
    pub fn new(pool: Arc<Pool>) -> Self {
        Self { pool, amount: 0 }
    }

    /// How much it holds.
    #[must_use]
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// The pool it is of.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Takes more.
    ///
    /// # Errors
    ///
    /// Who is at the limit; nothing is taken then.
    pub fn grow(&mut self, amount: u64) -> Result<(), Holder> {
        self.pool.take(amount)?;
        self.amount += amount;
        Ok(())
    }

    /// Gives back, at most what it holds.
    pub fn shrink(&mut self, amount: u64) {
        let amount = amount.min(self.amount);
        self.amount -= amount;
        self.pool.give_back(amount);
    }

    /// Holds exactly this, whatever the limits say.
    pub fn set(&mut self, amount: u64) {
        if amount > self.amount {
            self.pool.force(amount - self.amount);
            self.amount = amount;
        } else {
            self.shrink(self.amount - amount);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.pool.give_back(self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_below_is_taken_above_and_given_back_when_its_holder_goes() {
        let sensor = Pool::new(Holder::Sensor, 100, None);
        let sources = [(); 2].map(|()| Pool::new(Holder::Source, 80, Some(Arc::clone(&sensor))));
        let mut first = Held::new(Arc::clone(&sources[0]));
        let mut second = Held::new(Arc::clone(&sources[1]));
        first.grow(70).unwrap();
        assert_eq!(first.grow(20), Err(Holder::Source));
        assert_eq!(second.grow(40), Err(Holder::Sensor));
        assert_eq!(
            (sources[1].room(), sources[1].full(31)),
            (30, Some(Holder::Sensor))
        );
        second.grow(30).unwrap();
        second.set(40);
        assert_eq!((sensor.used(), sensor.room()), (110, 0));
        drop(first);
        assert_eq!((sensor.used(), sources[0].used()), (40, 0));
    }

    #[test]
    fn a_source_gets_its_own_part_when_others_have_taken_all() {
        let sensor = Pool::new(Holder::Sensor, 100, None);
        let sources = [(); 2].map(|()| Pool::new(Holder::Source, 160, Some(Arc::clone(&sensor))));
        let mut greedy = Held::new(Arc::clone(&sources[0]));
        greedy.grow(100).unwrap();
        let mut late = Held::new(Arc::clone(&sources[1]));
        assert_eq!((sources[1].room(), sources[1].full(10)), (10, None));
        late.grow(10).unwrap();
        assert_eq!(late.grow(1), Err(Holder::Sensor));
        assert_eq!(greedy.grow(1), Err(Holder::Sensor));
        drop(late);
        assert_eq!(sensor.used(), 100);
    }
}
