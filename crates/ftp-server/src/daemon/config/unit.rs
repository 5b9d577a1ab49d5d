//! Durations, sizes and ratios as people write them.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A duration: a number of seconds, or `"90s"`, `"5m"`, `"1h"`, `"2d"`, `"250ms"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A number of bytes: a number, or `"64k"`, `"10 MiB"`, `"2GB"`; `k` and `KiB` are 1024, `kB` is 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// `"1:5"`: for each byte given, five may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proportion {
    /// Given.
    pub upload: NonZeroU64,
    /// Taken for it.
    pub download: u64,
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Quantity(SPAN, |number, unit| {
            let number = u64::try_from(number).ok()?;
            let seconds = |factor| number.checked_mul(factor).map(Duration::from_secs);
            match unit {
                "" | "s" => seconds(1),
                "ms" => Some(Duration::from_millis(number)),
                "m" | "min" => seconds(60),
                "h" => seconds(3600),
                "d" => seconds(86_400),
                _ => None,
            }
            .filter(|span| *span <= LONGEST)
            .map(Self)
        }))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Quantity(SIZE, |number, unit| {
            let factor: u128 = match unit {
                "" | "B" => 1,
                "k" | "K" | "KiB" => 1 << 10,
                "M" | "MiB" => 1 << 20,
                "G" | "GiB" => 1 << 30,
                "T" | "TiB" => 1 << 40,
                "kB" | "KB" => 1000,
                "MB" => 1_000_000,
                "GB" => 1_000_000_000,
                "TB" => 1_000_000_000_000,
                _ => return None,
            };
            let bytes = u64::try_from(number.checked_mul(factor)?).ok()?;
            Some(Self(bytes))
        }))
    }
}

impl<'de> Deserialize<'de> for Proportion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || de::Error::custom(format!("`{text}` is not {PROPORTION}"));
        let (upload, download) = text.split_once(':').ok_or_else(wrong)?;
        Ok(Self {
            upload: upload.trim().parse().map_err(|_| wrong())?,
            download: download.trim().parse().map_err(|_| wrong())?,
        })
    }
}

/// Reads a number with or without a unit; the text says what was expected.
struct Quantity<T>(&'static str, fn(u128, &str) -> Option<T>);

impl<T> Quantity<T> {
    fn read<E: de::Error>(&self, number: Option<u128>, unit: &str, text: &str) -> Result<T, E> {
        number
            .and_then(|number| (self.1)(number, unit))
            .ok_or_else(|| E::custom(format!("`{text}` is not {}", self.0)))
    }
}

impl<T> Visitor<'_> for Quantity<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.read(u128::try_from(number).ok(), "", &number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.read(Some(number.into()), "", &number.to_string())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        self.read(number.parse().ok(), unit.trim(), text)
    }
}

const SPAN: &str = "a duration like \"30s\", \"5m\", \"1h\"";
const SIZE: &str = "a size like 4096, \"64k\", \"10MiB\", \"2GB\"";
const PROPORTION: &str = "a ratio like \"1:5\" (given : taken)";

/// Ten years; more overflows clocks somewhere.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Row<T> {
        x: T,
    }

    fn read<T: de::DeserializeOwned>(value: &str) -> Result<T, String> {
        toml::from_str::<Row<T>>(&format!("x = {value}"))
            .map(|row| row.x)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn durations_and_sizes_have_units() {
        for (text, seconds) in [("90", 90), ("'5m'", 300), ("'2 h'", 7200), ("'1d'", 86_400)] {
            assert_eq!(read(text), Ok(Span(Duration::from_secs(seconds))));
        }
        assert_eq!(read("'250ms'"), Ok(Span(Duration::from_millis(250))));
        for (text, bytes) in [("7", 7), ("'64k'", 65_536), ("'1 MB'", 1_000_000)] {
            assert_eq!(read(text), Ok(Size(bytes)));
        }
        let ratio = read::<Proportion>("'1:5'").unwrap();
        assert_eq!((ratio.upload.get(), ratio.download), (1, 5));
    }

    #[test]
    fn what_is_no_quantity_is_told_with_an_example() {
        for text in ["-1", "'5 parsecs'", "''", "'99999999999d'"] {
            let error = read::<Span>(text).unwrap_err();
            assert!(error.contains("like \"30s\""), "{error}");
        }
        for text in ["-1", "'1X'", "'99999999999TiB'"] {
            assert!(read::<Size>(text).unwrap_err().contains("like 4096"));
        }
        for text in ["'5'", "'0:1'", "'1:x'"] {
            assert!(read::<Proportion>(text).unwrap_err().contains("\"1:5\""));
        }
        assert!(read::<Span>("true").unwrap_err().contains("expected"));
    }
}
