//! Values, and arrays with mawk's order.

use std::collections::HashMap;
use std::sync::Arc;

use super::format;
use super::number;

#[derive(Debug, Clone, Default)]
pub(super) enum Value {
    #[default]
    Uninit,
    Number(f64),
    Text(Arc<[u8]>),
    /// Text from outside that looks like a number.
    Both(Arc<[u8]>, f64),
}

impl Value {
    pub(super) fn text(bytes: &[u8]) -> Self {
        Self::Text(bytes.into())
    }

    /// Text from outside: a number as well if it looks like one.
    pub(super) fn input(bytes: &[u8]) -> Self {
        match number::whole(bytes) {
            Some(value) => Self::Both(bytes.into(), value),
            None => Self::Text(bytes.into()),
        }
    }

    pub(super) fn bool(value: bool) -> Self {
        Self::Number(if value { 1.0 } else { 0.0 })
    }

    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Uninit => 0.0,
            Self::Number(value) | Self::Both(_, value) => *value,
            Self::Text(text) => number::prefix(text).0,
        }
    }

    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Uninit => false,
            Self::Number(value) | Self::Both(_, value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
        }
    }

    /// As text, numbers by this format (CONVFMT or OFMT).
    pub(super) fn to_text(&self, convert: &[u8]) -> Arc<[u8]> {
        match self {
            Self::Uninit => Arc::from(b"".as_slice()),
            Self::Text(text) | Self::Both(text, _) => Arc::clone(text),
            Self::Number(value) => match number::as_int(*value) {
                Some(int) => int.to_string().into_bytes().into(),
                None => format::number(convert, *value).into(),
            },
        }
    }

    /// Bytes that it takes beyond its own size.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Uninit | Self::Number(_) => 0,
            Self::Text(text) | Self::Both(text, _) => text.len(),
        }
    }

    pub(super) fn compare(&self, other: &Self, convert: &[u8]) -> std::cmp::Ordering {
        use std::cmp::Ordering;
        let numeric = |value: &Self| !matches!(value, Self::Text(_));
        if numeric(self) && numeric(other) {
            return self
                .number()
                .partial_cmp(&other.number())
                .unwrap_or(Ordering::Greater);
        }
        self.to_text(convert).cmp(&other.to_text(convert))
    }
}

/// An array: elements by their subscripts.
#[derive(Debug, Default)]
pub(super) struct Array {
    elements: HashMap<Arc<[u8]>, (Value, u64)>,
    touched: u64,
}

/// Slots of mawk's hash table at first, and elements per slot after which it doubles.
const SLOTS: usize = 64;
const PER_SLOT: usize = 12;

impl Array {
    pub(super) fn len(&self) -> usize {
        self.elements.len()
    }

    pub(super) fn contains(&self, key: &[u8]) -> bool {
        self.elements.contains_key(key)
    }

    /// An element, which is made if it was not there; whether it was made.
    pub(super) fn get(&mut self, key: &Arc<[u8]>) -> (Value, bool) {
        self.touched += 1;
        let touched = self.touched;
        if let Some(element) = self.elements.get_mut(key) {
            element.1 = touched;
            return (element.0.clone(), false);
        }
        self.elements
            .insert(Arc::clone(key), (Value::Uninit, touched));
        (Value::Uninit, true)
    }

    /// The value that was there.
    pub(super) fn set(&mut self, key: Arc<[u8]>, value: Value) -> Option<Value> {
        self.touched += 1;
        self.elements
            .insert(key, (value, self.touched))
            .map(|(value, _)| value)
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Option<Value> {
        self.elements.remove(key).map(|(value, _)| value)
    }

    pub(super) fn clear(&mut self) {
        self.elements.clear();
    }

    /// The subscripts in the order in which mawk walks its table: by slot, in a slot the one used
    /// last first.
    pub(super) fn keys(&self) -> Vec<Arc<[u8]>> {
        let mut slots = SLOTS;
        while self.elements.len() > slots * PER_SLOT {
            slots *= 2;
        }
        let mut keys: Vec<(usize, u64, &Arc<[u8]>)> = self
            .elements
            .iter()
            .map(|(key, (_, touched))| (hash(key) as usize & (slots - 1), u64::MAX - touched, key))
            .collect();
        keys.sort_unstable();
        keys.into_iter()
            .map(|(_, _, key)| Arc::clone(key))
            .collect()
    }
}

/// FNV-1a, as mawk hashes subscripts.
fn hash(key: &[u8]) -> u32 {
    key.iter().fold(2_166_136_261, |hash: u32, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(16_777_619)
    })
}
