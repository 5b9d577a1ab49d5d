//! Functions that need nothing from outside.

use sundew_kernel::Process;
use sundew_posix::regex::Groups;

use super::format;
use super::op::{Place, Variable};
use super::record::{self, Separator};
use super::value::Value;
use super::vm::{Item, RLENGTH, RSTART, Stop, Vm};

/// glibc's random(3) with its default state, so that a seed gives what it gives elsewhere.
#[derive(Debug)]
pub(super) struct Random {
    state: [u32; 31],
    front: usize,
    rear: usize,
    seed: Value,
}

impl Random {
    pub(super) fn new(seed: i64) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds since 1970 are below 2^53"
        )]
        let value = Value::Number(seed as f64);
        let mut random = Self {
            state: [0; 31],
            front: 3,
            rear: 0,
            seed: value,
        };
        random.sow(u32::try_from(seed & 0xffff_ffff).unwrap_or(1));
        random
    }

    fn sow(&mut self, seed: u32) {
        let mut word = i64::from((if seed == 0 { 1 } else { seed }).cast_signed());
        for place in &mut self.state {
            *place = u32::try_from(word & 0xffff_ffff).unwrap_or(0);
            // Park and Miller's generator, kept positive as the C library does.
            word = (16_807 * word) % 2_147_483_647;
            if word < 0 {
                word += 2_147_483_647;
            }
        }
        (self.front, self.rear) = (3, 0);
        for _ in 0..310 {
            self.next();
        }
    }

    fn next(&mut self) -> u32 {
        let rear = self.state.get(self.rear).copied().unwrap_or(0);
        let mut result = 0;
        if let Some(place) = self.state.get_mut(self.front) {
            *place = place.wrapping_add(rear);
            result = *place >> 1;
        }
        self.front = (self.front + 1) % 31;
        self.rear = (self.rear + 1) % 31;
        result
    }
}

/// Seconds since 1970 of `YYYY MM DD HH MM SS`, any of them beyond its usual range too; -1 for less.
fn mktime(text: &[u8]) -> f64 {
    let text = String::from_utf8_lossy(text);
    let mut numbers = text
        .split_ascii_whitespace()
        .map_while(|word| word.parse::<i64>().ok().filter(|n| n.abs() < 1 << 31));
    let mut next = || numbers.next();
    let (Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)) =
        (next(), next(), next(), next(), next(), next())
    else {
        return -1.0;
    };
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    let first = i16::try_from(year)
        .ok()
        .zip(i8::try_from(month).ok())
        .and_then(|(year, month)| jiff::civil::Date::new(year, month, 1).ok())
        .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let Some(first) = first else {
        return -1.0;
    };
    let seconds = (day - 1) * 86_400 + hour * 3600 + minute * 60 + second;
    #[expect(clippy::cast_precision_loss, reason = "awk has only such numbers")]
    let moment = (first.timestamp().as_second() + seconds) as f64;
    moment
}

impl Vm {
    #[expect(clippy::too_many_lines, reason = "one arm for each function of awk")]
    pub(super) fn builtin(&mut self, proc: &Process, name: &str, args: usize) -> Result<(), Stop> {
        match name {
            "length" => {
                let text = if args == 0 {
                    self.record()
                } else {
                    self.pop_text()
                };
                self.push_count(text.len());
            }
            "substr" => self.substr(args),
            "index" => {
                let needle = self.pop_text();
                let text = self.pop_text();
                let found = if needle.is_empty() {
                    Some(0)
                } else {
                    text.windows(needle.len())
                        .position(|window| window == needle.as_ref())
                };
                self.push_count(found.map_or(0, |at| at + 1));
            }
            "match" => {
                let pattern = self.pop_item();
                let text = self.pop_text();
                let regex = self.regex_of(pattern)?;
                let found = regex.find(&text, 0, false);
                let (start, length) = found.map_or((0, None), |groups| {
                    (groups.start() + 1, Some(groups.end() - groups.start()))
                });
                self.push_count(start);
                self.set_global(RSTART, count(start));
                self.set_global(RLENGTH, length.map_or(Value::Number(-1.0), count));
            }
            "sprintf" => {
                let values = self.pop_many(args);
                let text = self
                    .formatted("sprintf", &values)
                    .map_err(|(_, stop)| stop)?;
                self.allow(proc, text.len())?;
                self.push(Value::Text(text.into()));
            }
            "tolower" | "toupper" => {
                let text = self.pop_text();
                let lower = name == "tolower";
                let text = if lower {
                    text.to_ascii_lowercase()
                } else {
                    text.to_ascii_uppercase()
                };
                self.push(Value::Text(text.into()));
            }
            "systime" => self.push(seconds(proc)),
            "srand" => {
                let new = if args == 0 { seconds(proc) } else { self.pop() };
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a seed, of which 32 bits count"
                )]
                let number = new.number() as i64;
                self.random
                    .sow(u32::try_from(number & 0xffff_ffff).unwrap_or(1));
                let old = std::mem::replace(&mut self.random.seed, new);
                self.push(old);
            }
            "rand" => {
                let number = f64::from(self.random.next()) / 2_147_483_647.0;
                self.push(Value::Number(number));
            }
            "strftime" => self.strftime(proc, args),
            "mktime" => {
                let text = self.pop_text();
                self.push(Value::Number(mktime(&text)));
            }
            "atan2" => {
                let x = self.pop().number();
                let y = self.pop().number();
                self.push(Value::Number(y.atan2(x)));
            }
            name => {
                let x = self.pop().number();
                self.push(Value::Number(match name {
                    "sin" => x.sin(),
                    "cos" => x.cos(),
                    "exp" => x.exp(),
                    // The C library's logarithm of a negative number is a negative NaN.
                    "log" if x < 0.0 => -f64::NAN.abs(),
                    "log" => x.ln(),
                    "sqrt" if x < 0.0 => -f64::NAN.abs(),
                    "sqrt" => x.sqrt(),
                    "int" => x.trunc(),
                    _ => -1.0,
                }));
            }
        }
        Ok(())
    }

    /// The text; or as much of it as came before a mistake, and the complaint.
    pub(super) fn formatted(
        &self,
        name: &str,
        values: &[Value],
    ) -> Result<Vec<u8>, (Vec<u8>, Stop)> {
        let convert = self.convert();
        let Some((first, rest)) = values.split_first() else {
            return Ok(Vec::new());
        };
        let text = first.to_text(&convert);
        format::sprintf(&text, rest, &convert).map_err(|(out, mistake)| {
            let shown = String::from_utf8_lossy(&text);
            let words = match mistake {
                format::Mistake::Missing => {
                    format!("not enough arguments passed to {name}(\"{shown}\")")
                }
                format::Mistake::Conversion(number) => {
                    format!("improper conversion(number {number}) in {name}(\"{shown}\")")
                }
            };
            (out, self.run_time_error(&words))
        })
    }

    /// mawk's substr: both numbers are cut, and a start before the text makes it longer.
    fn substr(&mut self, args: usize) {
        let length = if args == 3 {
            self.pop().number().trunc()
        } else {
            f64::INFINITY
        };
        let start = self.pop().number().trunc();
        let text = self.pop_text();
        let (start, length) = if start < 1.0 {
            (1.0, length - start)
        } else {
            (start, length)
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "casts of floats saturate"
        )]
        let (first, count) = (start as usize - 1, length as usize);
        let first = first.min(text.len());
        let end = first.saturating_add(count).min(text.len());
        self.push(Value::text(text.get(first..end).unwrap_or_default()));
    }

    fn strftime(&mut self, proc: &Process, args: usize) {
        let values = self.pop_many(args);
        let text = values
            .first()
            .map_or_else(|| b"%c".as_slice().into(), |value| value.to_text(b"%.6g"));
        #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
        let secs = values
            .get(1)
            .map_or(proc.now().secs, |value| value.number() as i64);
        let shown = jiff::Timestamp::from_second(secs)
            .ok()
            .map(|stamp| stamp.to_zoned(jiff::tz::TimeZone::UTC))
            .and_then(|zoned| jiff::fmt::strtime::format(text.as_ref(), &zoned).ok())
            .unwrap_or_default();
        self.push(Value::text(shown.as_bytes()));
    }

    pub(super) fn split(&mut self, array: Variable, args: usize) -> Result<(), Stop> {
        let separator = if args == 3 {
            match self.pop_item() {
                Some(item @ Item::Regex(_)) => {
                    Separator::Regex(Box::new(self.regex_of(Some(item))?.as_ref().clone()))
                }
                Some(Item::Value(value)) => {
                    Separator::field(&value.to_text(&self.convert())).map_err(Stop::Fatal)?
                }
                _ => Separator::Blank,
            }
        } else {
            self.field_separator.clone()
        };
        let text = self.pop_text();
        let fields = record::split(&text, &separator, false);
        let id = self.array_id(array);
        self.clear_array(id);
        for (index, field) in fields.iter().enumerate() {
            self.set_element(
                id,
                (index + 1).to_string().into_bytes().into(),
                Value::input(field),
            )?;
        }
        self.push_count(fields.len());
        Ok(())
    }

    pub(super) fn substitute(
        &mut self,
        proc: &Process,
        global: bool,
        place: Place,
    ) -> Result<(), Stop> {
        // Below what the place needs lie the replacement and the pattern.
        let key = match place {
            Place::Element(_) | Place::Field => Some(self.pop()),
            Place::Variable(_) => None,
        };
        let replacement = self.pop_text();
        let pattern = self.pop_item();
        let regex = self.regex_of(pattern)?;
        if let Some(key) = key {
            self.push(key);
        }
        let text = self.load_keep(place)?.to_text(&self.convert());
        let mut out = Vec::new();
        let mut at = 0;
        let mut last_end = None;
        let mut replaced = 0;
        while at <= text.len() {
            let Some(groups) = regex.find(&text, at, false) else {
                break;
            };
            let (start, end) = (groups.start(), groups.end());
            out.extend_from_slice(text.get(at..start).unwrap_or_default());
            at = end;
            if start < end || last_end != Some(start) {
                replaced += 1;
                expand(&replacement, &groups, &text, &mut out);
                self.allow(proc, out.len())?;
            }
            last_end = Some(end);
            if start == end {
                out.extend(text.get(at));
                at += 1;
            }
            if !global {
                break;
            }
        }
        if replaced > 0 {
            out.extend_from_slice(text.get(at..).unwrap_or_default());
            self.store(place, Value::Text(out.into()))?;
        } else if matches!(place, Place::Element(_) | Place::Field) {
            self.pop();
        }
        self.push_count(replaced);
        Ok(())
    }
}

/// A replacement: `&` is the match, `\&` an ampersand, `\\` a backslash.
fn expand(replacement: &[u8], groups: &Groups, text: &[u8], out: &mut Vec<u8>) {
    let mut bytes = replacement.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'&', _) => out.extend_from_slice(groups.bytes(0, text).unwrap_or_default()),
            (b'\\', Some(b'&' | b'\\')) => out.extend(bytes.next()),
            (byte, _) => out.push(byte),
        }
    }
}

fn seconds(proc: &Process) -> Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 are below 2^53"
    )]
    Value::Number(proc.now().secs as f64)
}

fn count(value: usize) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "offsets are below 2^53")]
    Value::Number(value as f64)
}
