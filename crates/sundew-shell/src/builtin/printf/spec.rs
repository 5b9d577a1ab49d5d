//! Flags, width and precision: what C's printf(3) does with a text or with digits.

/// Widest field and highest precision, in bytes; larger ones are cut to this. Real shells allocate
/// whatever is asked for.
const MAX_WIDTH: usize = 1 << 20;

/// What stands between `%` and the letter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

impl Spec {
    /// Takes a flag's character; `'` groups digits in no locale that this machine has.
    pub(super) fn flag(&mut self, flag: u8) {
        match flag {
            b'-' => self.left = true,
            b'0' => self.zero = true,
            b'+' => self.plus = true,
            b' ' => self.space = true,
            b'#' => self.alternate = true,
            _ => {}
        }
    }

    /// A negative width means left.
    pub(super) fn set_width(&mut self, width: i64) {
        self.left |= width < 0;
        self.width = usize::try_from(width.unsigned_abs())
            .unwrap_or(MAX_WIDTH)
            .min(MAX_WIDTH);
    }

    /// A negative precision means none.
    pub(super) fn set_precision(&mut self, precision: i64) {
        self.precision = usize::try_from(precision)
            .ok()
            .map(|precision| precision.min(MAX_WIDTH));
    }

    pub(super) fn precision(&self) -> Option<usize> {
        self.precision
    }

    pub(super) fn is_alternate(&self) -> bool {
        self.alternate
    }

    /// As much of a text as the precision allows.
    pub(super) fn cut<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        self.precision
            .and_then(|precision| text.get(..precision))
            .unwrap_or(text)
    }

    /// A text in its field.
    pub(super) fn text(&self, text: &[u8], out: &mut Vec<u8>) {
        let padding = self.width.saturating_sub(text.len());
        if !self.left {
            out.extend(std::iter::repeat_n(b' ', padding));
        }
        out.extend_from_slice(text);
        if self.left {
            out.extend(std::iter::repeat_n(b' ', padding));
        }
    }

    /// `%d`
    pub(super) fn signed(&self, value: i64, out: &mut Vec<u8>) {
        let digits = self.digits(value.unsigned_abs(), value.unsigned_abs().to_string());
        self.field(self.sign(value < 0), &digits, self.precision.is_none(), out);
    }

    /// `%u %o %x %X`
    pub(super) fn unsigned(&self, value: u64, conversion: u8, out: &mut Vec<u8>) {
        let text = match conversion {
            b'o' => format!("{value:o}"),
            b'x' => format!("{value:x}"),
            b'X' => format!("{value:X}"),
            _ => value.to_string(),
        };
        let mut digits = self.digits(value, text);
        let prefix: &[u8] = match conversion {
            b'x' if self.alternate && value != 0 => b"0x",
            b'X' if self.alternate && value != 0 => b"0X",
            _ => b"",
        };
        if conversion == b'o' && self.alternate && digits.first() != Some(&b'0') {
            digits.insert(0, b'0');
        }
        self.field(prefix, &digits, self.precision.is_none(), out);
    }

    /// A floating-point number's text; only finite ones are filled with zeros.
    pub(super) fn number(&self, negative: bool, body: &[u8], zeros: bool, out: &mut Vec<u8>) {
        if let Some(digits) = body
            .strip_prefix(b"0x")
            .or_else(|| body.strip_prefix(b"0X"))
        {
            let prefix = body.get(..2).unwrap_or_default();
            return self.field(&[self.sign(negative), prefix].concat(), digits, zeros, out);
        }
        self.field(self.sign(negative), body, zeros, out);
    }

    fn sign(&self, negative: bool) -> &'static [u8] {
        if negative {
            b"-"
        } else if self.plus {
            b"+"
        } else if self.space {
            b" "
        } else {
            b""
        }
    }

    /// Digits with as many zeros in front as the precision wants; none for 0 with precision 0.
    fn digits(&self, value: u64, text: String) -> Vec<u8> {
        let precision = self.precision.unwrap_or(1);
        if value == 0 && precision == 0 {
            return Vec::new();
        }
        let mut digits = vec![b'0'; precision.saturating_sub(text.len())];
        digits.extend(text.into_bytes());
        digits
    }

    fn field(&self, prefix: &[u8], digits: &[u8], zeros: bool, out: &mut Vec<u8>) {
        if self.zero && zeros && !self.left {
            out.extend_from_slice(prefix);
            out.extend(std::iter::repeat_n(
                b'0',
                self.width.saturating_sub(prefix.len() + digits.len()),
            ));
            out.extend_from_slice(digits);
        } else {
            self.text(&[prefix, digits].concat(), out);
        }
    }
}

/// Reads decimal digits, if any are there; how many.
pub(super) fn digits(text: &[u8], mut set: impl FnMut(i64)) -> usize {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count > 0 {
        let value = text.iter().take(count).fold(0i64, |value, byte| {
            value
                .saturating_mul(10)
                .saturating_add(i64::from(byte - b'0'))
        });
        set(value);
    }
    count
}
