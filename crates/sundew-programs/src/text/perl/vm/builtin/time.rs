//! `localtime`, `gmtime`, `strftime`.

use super::*;
use crate::time::{Shown, Zone};

impl Vm<'_> {
    pub(super) fn calendar(&self, name: &str, values: &[Value], want_list: bool) -> Vec<Value> {
        let first = values.first().filter(|value| value.is_defined());
        if name == "strftime" {
            let number = |at: usize| values.get(at).map_or(0, Value::integer);
            let days = days_from_civil(number(6) + 1900, number(5) + 1, number(4));
            let secs = days * 86_400 + number(3) * 3600 + number(2) * 60 + number(1);
            let shown = Shown::new(sundew_vfs::Timestamp { secs, nanos: 0 }, &Zone::utc());
            return vec![Value::text(
                shown.format(&first.map(Value::bytes).unwrap_or_default()),
            )];
        }
        let secs = first.map_or(self.proc.now().secs, Value::integer);
        let shown = Shown::new(sundew_vfs::Timestamp { secs, nanos: 0 }, &Zone::utc());
        if !want_list {
            return vec![Value::text(shown.format(b"%a %b %e %H:%M:%S %Y"))];
        }
        let text = String::from_utf8_lossy(&shown.format(b"%S %M %H %d %m %Y %w %j")).into_owned();
        let numbers: Vec<i64> = text
            .split(' ')
            .map(|word| word.parse().unwrap_or(0))
            .collect();
        let at = |place: usize| numbers.get(place).copied().unwrap_or(0);
        [
            at(0),
            at(1),
            at(2),
            at(3),
            at(4) - 1,
            at(5) - 1900,
            at(6),
            at(7) - 1,
            0,
        ]
        .map(Value::Int)
        .to_vec()
    }
}

/// Days since 1970 of a date in the Gregorian calendar, months from 1.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}
