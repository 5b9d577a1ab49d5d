//! Compiled time zones, tzfile(5), as Debian's `zic -b fat` writes them, from a line of text each.
//!
//! `zones.txt` begins with the leap seconds and the moment at which their list ends, in seconds since 1970:
//! `leaps AT,AT,… END`. Each other line is a zone, fields separated by blanks, an empty one written `-`:
//!
//! ```text
//! NAME RULE NAMES TYPES STANDARD UNIVERSAL TIMES
//! ```
//!
//! RULE is what holds after the last transition, as `TZ` has it. NAMES are the abbreviations, each ended by
//! a `!`; TYPES are `OFFSET/SUMMER/NAME` with commas between, the name as its place in NAMES; STANDARD and
//! UNIVERSAL have a `0` or `1` for each type. TIMES are the transitions: the time since the one before (the
//! first counts from [`START`]) to the base 36, in quarters of an hour or, behind a `.`, in seconds, and a
//! capital letter for the type.
//!
//! The half for readers with 32 bits and the zones below `right/`, which count leap seconds, follow from it.

use std::collections::{BTreeMap, BTreeSet};

/// What [`Zones::file`] has the first transition count from, in seconds since 1970: in 1653.
const START: i64 = -10_000_000_000;
/// Quarter of an hour, in seconds.
const QUARTER: i64 = 900;
/// First and last second that 32 bits hold.
const NARROW: std::ops::RangeInclusive<i64> = -0x8000_0000..=0x7fff_ffff;

/// The lines of a `zones.txt` by name.
#[derive(Debug, Default)]
pub(crate) struct Zones<'a> {
    lines: BTreeMap<&'a str, &'a str>,
    leaps: Vec<i64>,
    /// When the list of leap seconds ends, itself counted with leap seconds.
    leaps_end: i64,
}

impl<'a> Zones<'a> {
    pub(crate) fn read(text: &'a [u8]) -> Self {
        let mut zones = Self::default();
        for line in std::str::from_utf8(text).unwrap_or_default().lines() {
            match line.split_once(' ') {
                None | Some(("#", _)) => {}
                Some(("leaps", rest)) => {
                    let (leaps, end) = rest.split_once(' ').unwrap_or_default();
                    zones.leaps = leaps.split(',').filter_map(|at| at.parse().ok()).collect();
                    zones.leaps_end = end.parse().unwrap_or(0);
                }
                Some((name, rest)) => {
                    zones.lines.insert(name, rest);
                }
            }
        }
        zones
    }

    /// The file of a zone, named as below `/usr/share/zoneinfo`; `None` for one that is not there or does
    /// not parse.
    pub(crate) fn file(&self, name: &str) -> Option<Vec<u8>> {
        if let Some(name) = name.strip_prefix("right/") {
            let zone = Zone::read(self.lines.get(name)?)?;
            return Some(self.with_leaps(zone).file(&self.leaps));
        }
        Some(Zone::read(self.lines.get(name)?)?.file(&[]))
    }

    /// The same zone where a second of the clock is one of the earth's as well: it knows nothing of the
    /// time when leap seconds are not announced yet.
    fn with_leaps(&self, mut zone: Zone<'a>) -> Zone<'a> {
        let shifted = |at: i64| {
            let mut count = 0;
            // The list holds each leap second with those before counted.
            for leap in &self.leaps {
                if at + count < *leap {
                    break;
                }
                count += 1;
            }
            at + count
        };
        for (at, _) in &mut zone.times {
            *at = shifted(*at);
        }
        zone.times.retain(|(at, _)| *at < self.leaps_end);
        let last = zone.times.last().map_or(0, |(_, sort)| *sort);
        zone.times.push((self.leaps_end, last));
        Zone { rule: "", ..zone }
    }
}

struct Zone<'a> {
    rule: &'a str,
    names: Vec<u8>,
    types: Vec<(i32, u8, u8)>,
    standard: Vec<u8>,
    universal: Vec<u8>,
    /// When it changes, in seconds since 1970, to which type.
    times: Vec<(i64, u8)>,
}

impl<'a> Zone<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line
            .split(' ')
            .map(|field| if field == "-" { "" } else { field });
        let rule = fields.next()?;
        let names = fields.next()?.replace('!', "\0").into_bytes();
        let mut types = Vec::new();
        for sort in fields.next()?.split(',') {
            let mut parts = sort.split('/');
            types.push((
                parts.next()?.parse().ok()?,
                parts.next()?.parse().ok()?,
                parts.next()?.parse().ok()?,
            ));
        }
        let mut flags = || Some(fields.next()?.bytes().map(|flag| flag & 1).collect());
        let (standard, universal) = (flags()?, flags()?);
        Some(Self {
            rule,
            names,
            types,
            standard,
            universal,
            times: times(fields.next()?)?,
        })
    }

    fn file(&self, leaps: &[i64]) -> Vec<u8> {
        let mut out = Vec::new();
        self.narrow().block(leaps, Width::Narrow, &mut out);
        self.block(leaps, Width::Wide, &mut out);
        out.push(b'\n');
        out.extend_from_slice(self.rule.as_bytes());
        out.push(b'\n');
        out
    }

    /// What 32 bits have of it: the transitions that fit, behind one at the first second if others came
    /// before, and the types these need.
    fn narrow(&self) -> Self {
        let mut times: Vec<_> = self
            .times
            .iter()
            .copied()
            .filter(|(at, _)| NARROW.contains(at))
            .collect();
        let before = self.times.iter().rfind(|(at, _)| at < NARROW.start());
        if let Some((_, sort)) = before
            && times.first().is_none_or(|(at, _)| at != NARROW.start())
        {
            times.insert(0, (*NARROW.start(), *sort));
        }
        // What no transition leads to is there for old readers, who take it for the present.
        let has = |times: &[(i64, u8)], sort| times.iter().any(|(_, used)| *used == sort);
        let used: Vec<u8> = (0..=u8::MAX)
            .take(self.types.len())
            .filter(|&sort| sort == 0 || has(&times, sort) || !has(&self.times, sort))
            .collect();
        let of = |flags: &[u8]| -> Vec<u8> {
            let flag = |sort: &u8| flags.get(usize::from(*sort)).copied();
            used.iter().filter_map(flag).collect()
        };
        let sorts = || {
            let sort = |sort: &u8| self.types.get(usize::from(*sort)).copied();
            used.iter().filter_map(sort)
        };
        let (names, places) = self.names_at(&sorts().map(|(.., place)| place).collect());
        let types = sorts()
            .map(|(offset, summer, place)| {
                (offset, summer, places.get(&place).copied().unwrap_or(0))
            })
            .collect();
        for (_, sort) in &mut times {
            let place = used.iter().position(|used| used == sort);
            *sort = place
                .and_then(|place| u8::try_from(place).ok())
                .unwrap_or(0);
        }
        Self {
            rule: self.rule,
            names,
            types,
            standard: of(&self.standard),
            universal: of(&self.universal),
            times,
        }
    }

    /// The abbreviations at these places, and where each is then.
    fn names_at(&self, places: &BTreeSet<u8>) -> (Vec<u8>, BTreeMap<u8, u8>) {
        let (mut names, mut moved) = (Vec::new(), BTreeMap::new());
        for place in places {
            let name = self.names.get(usize::from(*place)..).unwrap_or_default();
            let end = name.iter().position(|&byte| byte == 0).unwrap_or(0);
            let name = name.get(..=end).unwrap_or_default();
            // The end of one may be another.
            let known = names
                .windows(name.len().max(1))
                .position(|known| known == name);
            let at = known.unwrap_or_else(|| {
                names.extend_from_slice(name);
                names.len() - name.len()
            });
            moved.insert(*place, u8::try_from(at).unwrap_or(0));
        }
        (names, moved)
    }

    fn block(&self, leaps: &[i64], width: Width, out: &mut Vec<u8>) {
        out.extend_from_slice(b"TZif2");
        out.extend_from_slice(&[0; 15]);
        for count in [
            self.universal.len(),
            self.standard.len(),
            leaps.len(),
            self.times.len(),
            self.types.len(),
            self.names.len(),
        ] {
            out.extend_from_slice(&u32::try_from(count).unwrap_or(0).to_be_bytes());
        }
        for (at, _) in &self.times {
            width.write(*at, out);
        }
        out.extend(self.times.iter().map(|(_, sort)| sort));
        for (offset, summer, name) in &self.types {
            out.extend_from_slice(&offset.to_be_bytes());
            out.extend_from_slice(&[*summer, *name]);
        }
        out.extend_from_slice(&self.names);
        for (count, at) in (1_u32..).zip(leaps) {
            width.write(*at, out);
            out.extend_from_slice(&count.to_be_bytes());
        }
        out.extend_from_slice(&self.standard);
        out.extend_from_slice(&self.universal);
    }
}

/// How many bits a time has.
#[derive(Clone, Copy)]
enum Width {
    Narrow,
    Wide,
}

impl Width {
    fn write(self, at: i64, out: &mut Vec<u8>) {
        match self {
            Self::Narrow => {
                out.extend_from_slice(&i32::try_from(at).unwrap_or(i32::MIN).to_be_bytes())
            }
            Self::Wide => out.extend_from_slice(&at.to_be_bytes()),
        }
    }
}

fn times(text: &str) -> Option<Vec<(i64, u8)>> {
    let mut found = Vec::new();
    let (mut at, mut step, mut unit) = (START, 0_i64, QUARTER);
    for byte in text.bytes() {
        match byte {
            b'.' => unit = 1,
            b'A'..=b'Z' => {
                at = at.checked_add(step.checked_mul(unit)?)?;
                found.push((at, byte - b'A'));
                (step, unit) = (0, QUARTER);
            }
            digit => {
                let digit = char::from(digit).to_digit(36)?;
                step = step.checked_mul(36)?.checked_add(i64::from(digit))?;
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::DEBIAN12;

    fn zone(name: &str) -> Vec<u8> {
        Zones::read(DEBIAN12.zones).file(name).unwrap()
    }

    #[test]
    fn a_zone_is_debians_to_the_byte() {
        let lmt = 33_539_i32.to_be_bytes();
        let (summer, winter) = (36_000_i32.to_be_bytes(), 32_400_i32.to_be_bytes());
        let half = |first: &[u8], width: usize| {
            let mut half = b"TZif2".to_vec();
            half.extend([0; 15]);
            for count in [4_u32, 4, 0, 9, 4, 12] {
                half.extend(count.to_be_bytes());
            }
            half.extend(first);
            for at in [
                -683_802_000_i64,
                -672_310_800,
                -654_771_600,
                -640_861_200,
                -620_298_000,
                -609_411_600,
                -588_848_400,
                -577_962_000,
            ] {
                half.extend(&at.to_be_bytes()[8 - width..]);
            }
            half.extend([3, 1, 2, 1, 2, 1, 2, 1, 2]);
            for (offset, rest) in [
                (lmt, [0, 0]),
                (summer, [1, 4]),
                (winter, [0, 8]),
                (winter, [0, 8]),
            ] {
                half.extend(offset);
                half.extend(rest);
            }
            half.extend(b"LMT\0JDT\0JST\0");
            half.extend([0, 0, 0, 1, 0, 0, 0, 1]);
            half
        };
        let wide = half(&(-2_587_712_400_i64).to_be_bytes(), 8);
        let narrow = half(&i32::MIN.to_be_bytes(), 4);
        assert_eq!(
            zone("Asia/Tokyo"),
            [narrow, wide, b"\nJST-9\n".to_vec()].concat()
        );
    }

    #[test]
    fn zones_have_debians_lengths() {
        for (name, len) in [
            ("Etc/UTC", 114),
            ("right/Etc/UTC", 664),
            ("Europe/Berlin", 2298),
            ("America/New_York", 3552),
            ("America/Chicago", 3592),
            ("right/America/Ojinaga", 1748),
            ("Asia/Almaty", 997),
            ("Europe/Ulyanovsk", 1267),
            ("Pacific/Guam", 494),
        ] {
            assert_eq!(zone(name).len(), len, "{name}");
        }
    }
}
