//! Shell variables: scalars, indexed and associative arrays, attributes, function scopes.

use std::collections::BTreeMap;

use sundew_kernel::environment::Environment;

use crate::expand::parameter::split_index;
use crate::expand::transform;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// One string.
    Scalar(Vec<u8>),
    /// `a[1]=x`: by number.
    Indexed(BTreeMap<i64, Vec<u8>>),
    /// `declare -A`: by key. In the order of keys; bash's is that of its hash table.
    Associative(BTreeMap<Vec<u8>, Vec<u8>>),
}

/// What `declare` shows in front of a variable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `-x`
    pub exported: bool,
    /// `-r`
    pub readonly: bool,
    /// `-i`
    pub integer: bool,
    /// `-l`
    pub lowercase: bool,
    /// `-u`
    pub uppercase: bool,
    /// `-c`: assigned values begin with a capital.
    pub capitalized: bool,
    /// `-n`
    pub reference: bool,
    /// `-t`
    pub trace: bool,
    /// An array that was declared and never assigned to.
    pub bare: bool,
}

/// A variable; without a value it is declared but unset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
    /// Its value.
    pub value: Option<Value>,
    /// Its attributes.
    pub attributes: Attributes,
}

impl Variable {
    /// The value as `$name` takes it: element 0 of an array.
    pub fn scalar(&self) -> Option<&[u8]> {
        match self.value.as_ref()? {
            Value::Scalar(text) => Some(text),
            Value::Indexed(elements) => elements.get(&0).map(Vec::as_slice),
            Value::Associative(elements) => elements.get(b"0".as_slice()).map(Vec::as_slice),
        }
    }

    /// Whether it is an array of either kind.
    pub fn is_array(&self) -> bool {
        matches!(self.value, Some(Value::Indexed(_) | Value::Associative(_)))
    }

    /// Whether it has a value or, as an array, an element.
    pub fn is_filled(&self) -> bool {
        match &self.value {
            None => false,
            Some(Value::Scalar(_)) => true,
            Some(Value::Indexed(elements)) => !elements.is_empty(),
            Some(Value::Associative(elements)) => !elements.is_empty(),
        }
    }

    /// Whether it is a reference to what has its own name further out.
    fn is_own_reference(&self, name: &[u8]) -> bool {
        self.attributes.reference && self.scalar() == Some(name)
    }

    /// Bytes its value takes.
    fn size(&self) -> usize {
        match &self.value {
            None => 0,
            Some(Value::Scalar(text)) => text.len(),
            Some(Value::Indexed(elements)) => elements
                .values()
                .map(|value| value.len() + INDEXED_BYTES)
                .sum(),
            Some(Value::Associative(elements)) => elements
                .iter()
                .map(|(key, value)| key.len() + value.len() + ASSOCIATIVE_BYTES)
                .sum(),
        }
    }
}

/// A reference (`declare -n`) that is not simply another name of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// It refers to nothing yet.
    Nothing,
    /// To an element: the array's name, the index as written.
    Element(Vec<u8>, Vec<u8>),
    /// A local to the global of its own name.
    Own,
    /// Two or more to one another.
    Circle,
}

/// Why an assignment was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignError {
    /// `readonly variable`
    Readonly,
    /// A reference leads in a circle.
    Circular,
}

/// All variables of a shell, the innermost function's locals in front.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// The globals, then one map for each function that runs.
    scopes: Vec<BTreeMap<Vec<u8>, Variable>>,
    bytes: usize,
}

/// What an element of an indexed array takes beside its value, in bytes.
const INDEXED_BYTES: usize = 48;
/// What an element of an associative array takes beside its key and value, in bytes.
const ASSOCIATIVE_BYTES: usize = 64;

/// Which element.
enum Key<'a> {
    Number(i64),
    Text(&'a [u8]),
}

/// How many references (`declare -n`) are followed.
const MAX_REFERENCES: usize = 8;

impl Variables {
    /// No variables.
    pub fn new() -> Self {
        Self {
            scopes: vec![BTreeMap::new()],
            bytes: 0,
        }
    }

    /// Bytes that all values take, for the memory budget.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Enters a function: what is declared local from here on hides what is outside.
    pub fn push_scope(&mut self) {
        self.scopes.push(BTreeMap::new());
    }

    /// Leaves a function.
    pub fn pop_scope(&mut self) {
        if self.scopes.len() > 1
            && let Some(scope) = self.scopes.pop()
        {
            self.bytes -= scope
                .values()
                .map(Variable::size)
                .sum::<usize>()
                .min(self.bytes);
        }
    }

    /// Leaves all functions at once: after an error at the prompt.
    pub fn leave_functions(&mut self) {
        while self.scopes.len() > 1 {
            self.pop_scope();
        }
    }

    /// Whether a function runs.
    pub fn in_function(&self) -> bool {
        self.scopes.len() > 1
    }

    /// Follows references from `name` to the variable meant.
    pub fn target<'a>(&'a self, name: &'a [u8]) -> &'a [u8] {
        let mut name = name;
        for _ in 0..MAX_REFERENCES {
            match self.raw(name) {
                Some(variable) if variable.attributes.reference => match variable.scalar() {
                    Some(next) if !next.is_empty() => name = next,
                    _ => return name,
                },
                _ => return name,
            }
        }
        name
    }

    /// The variable itself, references not followed.
    pub fn raw(&self, name: &[u8]) -> Option<&Variable> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    /// The variable, references followed; a local reference to its own name means the global.
    pub fn variable(&self, name: &[u8]) -> Option<&Variable> {
        let target = self.target(name);
        match self.raw(target) {
            Some(variable) if variable.is_own_reference(target) => self.scopes.first()?.get(target),
            found => found,
        }
    }

    /// What is unusual about a reference of this name.
    pub(crate) fn reference(&self, name: &[u8]) -> Option<Reference> {
        let first = self.raw(name).filter(|first| first.attributes.reference)?;
        if first.scalar().is_none_or(<[u8]>::is_empty) {
            return Some(Reference::Nothing);
        }
        let target = self.target(name);
        let (array, index) = split_index(target);
        if let Some(index) = index {
            return Some(Reference::Element(array.to_vec(), index.to_vec()));
        }
        let last = self.raw(target).filter(|last| last.attributes.reference)?;
        if last.is_own_reference(target) {
            Some(Reference::Own)
        } else {
            last.scalar().map(|_| Reference::Circle)
        }
    }

    /// The value as `$name` takes it.
    pub fn scalar(&self, name: &[u8]) -> Option<&[u8]> {
        self.variable(name)?.scalar()
    }

    /// Whether it is an associative array.
    pub fn is_associative(&self, name: &[u8]) -> bool {
        let value = self
            .variable(name)
            .and_then(|variable| variable.value.as_ref());
        matches!(value, Some(Value::Associative(_)))
    }

    /// Whether it has a value.
    pub fn is_set(&self, name: &[u8]) -> bool {
        self.variable(name)
            .is_some_and(|variable| variable.value.is_some())
    }

    /// Changes a variable, made where it is visible or else globally. The attributes are not looked
    /// at: see [`Variables::set`].
    pub fn modify<T>(&mut self, name: &[u8], change: impl FnOnce(&mut Variable) -> T) -> T {
        let name = self.target(name).to_vec();
        let meant = |scope: &BTreeMap<Vec<u8>, Variable>| {
            scope
                .get(&name)
                .is_some_and(|variable| !variable.is_own_reference(&name))
        };
        let index = self.scopes.iter().rposition(meant).unwrap_or(0);
        self.modify_in(index, name, change)
    }

    /// Changes a variable of the innermost function, made there if it is not.
    pub fn modify_local<T>(&mut self, name: &[u8], change: impl FnOnce(&mut Variable) -> T) -> T {
        let index = self.scopes.len().saturating_sub(1);
        self.modify_in(index, name.to_vec(), change)
    }

    /// Changes a global variable, made if it is not.
    pub fn modify_global<T>(&mut self, name: &[u8], change: impl FnOnce(&mut Variable) -> T) -> T {
        self.modify_in(0, name.to_vec(), change)
    }

    /// Lets a reference mean another variable.
    pub(crate) fn refer(&mut self, name: &[u8], target: Vec<u8>) {
        let index = self
            .scopes
            .iter()
            .rposition(|scope| scope.contains_key(name));
        self.modify_in(index.unwrap_or(0), name.to_vec(), |variable| {
            variable.value = Some(Value::Scalar(target));
        });
    }

    fn modify_in<T>(
        &mut self,
        index: usize,
        name: Vec<u8>,
        change: impl FnOnce(&mut Variable) -> T,
    ) -> T {
        if self.scopes.is_empty() {
            self.scopes.push(BTreeMap::new());
        }
        let index = index.min(self.scopes.len() - 1);
        let Some(scope) = self.scopes.get_mut(index) else {
            return change(&mut Variable::default());
        };
        let variable = scope.entry(name).or_default();
        self.bytes -= variable.size().min(self.bytes);
        let result = change(variable);
        self.bytes += variable.size();
        result
    }

    /// An element of an array that is one already: what is counted changes by that element alone.
    fn set_in_place(&mut self, name: &[u8], key: Key<'_>, value: &mut Vec<u8>) -> bool {
        let name = self.target(name).to_vec();
        let scope = self.scopes.iter_mut().rev().find(|scope| {
            scope
                .get(&name)
                .is_some_and(|variable| !variable.is_own_reference(&name))
        });
        let Some(variable) = scope.and_then(|scope| scope.get_mut(&name)) else {
            return false;
        };
        let attributes = variable.attributes;
        variable.attributes.bare = false;
        let (before, after) = match (&mut variable.value, key) {
            (Some(Value::Indexed(elements)), Key::Number(index)) => {
                let value = with_case(std::mem::take(value), attributes);
                let after = value.len() + INDEXED_BYTES;
                let old = elements.insert(index, value);
                (old.map(|old| old.len() + INDEXED_BYTES), after)
            }
            (Some(Value::Associative(elements)), Key::Text(key)) => {
                let value = with_case(std::mem::take(value), attributes);
                let around = key.len() + ASSOCIATIVE_BYTES;
                let after = value.len() + around;
                let old = elements.insert(key.to_vec(), value);
                (old.map(|old| old.len() + around), after)
            }
            _ => return false,
        };
        self.bytes = (self.bytes + after).saturating_sub(before.unwrap_or(0));
        true
    }

    /// Whether the innermost function has a local of this name.
    pub fn is_local(&self, name: &[u8]) -> bool {
        self.in_function()
            && self
                .scopes
                .last()
                .is_some_and(|scope| scope.contains_key(name))
    }

    /// Assigns a scalar (element 0 of an array), as `name=value` does. Integer evaluation is the
    /// caller's; case attributes are applied here.
    ///
    /// # Errors
    ///
    /// [`AssignError::Readonly`].
    pub fn set(&mut self, name: &[u8], value: impl Into<Vec<u8>>) -> Result<(), AssignError> {
        let value = value.into();
        if self
            .variable(name)
            .is_some_and(|variable| variable.attributes.readonly)
        {
            return Err(AssignError::Readonly);
        }
        self.modify(name, |variable| {
            let value = with_case(value, variable.attributes);
            match &mut variable.value {
                Some(Value::Indexed(elements)) => {
                    elements.insert(0, value);
                }
                Some(Value::Associative(elements)) => {
                    elements.insert(b"0".to_vec(), value);
                }
                other => *other = Some(Value::Scalar(value)),
            }
        });
        Ok(())
    }

    /// Sets a variable that the shell itself keeps, whatever its attributes.
    pub fn set_own(&mut self, name: &[u8], value: impl Into<Vec<u8>>) {
        let value = value.into();
        self.modify(name, |variable| variable.value = Some(Value::Scalar(value)));
    }

    /// Sets an array that the shell itself keeps (`PIPESTATUS`, `BASH_REMATCH`).
    pub fn set_own_array(&mut self, name: &[u8], values: impl IntoIterator<Item = Vec<u8>>) {
        let elements = (0..).zip(values).collect();
        self.modify(name, |variable| {
            variable.value = Some(Value::Indexed(elements))
        });
    }

    /// Assigns an element of an indexed array; a scalar becomes its element 0.
    ///
    /// # Errors
    ///
    /// [`AssignError::Readonly`].
    pub fn set_element(
        &mut self,
        name: &[u8],
        index: i64,
        value: Vec<u8>,
    ) -> Result<(), AssignError> {
        if self
            .variable(name)
            .is_some_and(|variable| variable.attributes.readonly)
        {
            return Err(AssignError::Readonly);
        }
        let mut value = value;
        if self.set_in_place(name, Key::Number(index), &mut value) {
            return Ok(());
        }
        self.modify(name, |variable| {
            let value = with_case(value, variable.attributes);
            let elements = to_indexed(variable);
            elements.insert(index, value);
        });
        Ok(())
    }

    /// Assigns an element of an associative array.
    ///
    /// # Errors
    ///
    /// [`AssignError::Readonly`].
    pub fn set_key(
        &mut self,
        name: &[u8],
        key: Vec<u8>,
        value: Vec<u8>,
    ) -> Result<(), AssignError> {
        if self
            .variable(name)
            .is_some_and(|variable| variable.attributes.readonly)
        {
            return Err(AssignError::Readonly);
        }
        let mut value = value;
        if self.set_in_place(name, Key::Text(&key), &mut value) {
            return Ok(());
        }
        self.modify(name, |variable| {
            let value = with_case(value, variable.attributes);
            if !matches!(variable.value, Some(Value::Associative(_))) {
                variable.value = Some(Value::Associative(BTreeMap::new()));
            }
            if let Some(Value::Associative(elements)) = &mut variable.value {
                elements.insert(key, value);
            }
        });
        Ok(())
    }

    /// Removes a variable, the innermost visible one; `false` if it may not be.
    pub fn unset(&mut self, name: &[u8]) -> bool {
        let name = self.target(name).to_vec();
        self.unset_raw(&name)
    }

    /// Removes a variable itself, references not followed.
    pub fn unset_raw(&mut self, name: &[u8]) -> bool {
        if self
            .raw(name)
            .is_some_and(|variable| variable.attributes.readonly)
        {
            return false;
        }
        let Some(index) = self
            .scopes
            .iter()
            .rposition(|scope| scope.contains_key(name))
        else {
            return true;
        };
        let innermost = index + 1 == self.scopes.len();
        if let Some(scope) = self.scopes.get_mut(index) {
            if innermost && index > 0 {
                // A local that is unset stays local, so that an assignment does not reach outside.
                if let Some(variable) = scope.get_mut(name) {
                    self.bytes -= variable.size().min(self.bytes);
                    *variable = Variable::default();
                }
            } else if let Some(variable) = scope.remove(name) {
                self.bytes -= variable.size().min(self.bytes);
            }
        }
        true
    }

    /// Name and variable of everything visible, in order of names.
    pub fn visible(&self) -> BTreeMap<&[u8], &Variable> {
        let mut all = BTreeMap::new();
        for scope in &self.scopes {
            all.extend(
                scope
                    .iter()
                    .map(|(name, variable)| (name.as_slice(), variable)),
            );
        }
        all
    }

    /// What children get: exported variables that have a value.
    pub fn environment(&self) -> Environment {
        self.visible()
            .into_iter()
            .filter(|(_, variable)| variable.attributes.exported && !variable.is_array())
            .filter_map(|(name, variable)| Some((name, variable.scalar()?)))
            .collect()
    }
}

/// The elements of an indexed array, made from what the variable was.
pub fn to_indexed(variable: &mut Variable) -> &mut BTreeMap<i64, Vec<u8>> {
    if !matches!(variable.value, Some(Value::Indexed(_))) {
        let elements = match variable.value.take() {
            Some(Value::Scalar(text)) => BTreeMap::from([(0, text)]),
            _ => BTreeMap::new(),
        };
        variable.value = Some(Value::Indexed(elements));
    }
    match &mut variable.value {
        Some(Value::Indexed(elements)) => elements,
        _ => unreachable!("it has just been made one"),
    }
}

fn with_case(value: Vec<u8>, attributes: Attributes) -> Vec<u8> {
    if attributes.lowercase {
        transform::lower(&value)
    } else if attributes.uppercase {
        transform::upper(&value)
    } else if attributes.capitalized {
        transform::upper_first(&transform::lower(&value))
    } else {
        value
    }
}

/// Whether `name` can name a variable.
pub fn is_name(name: &[u8]) -> bool {
    name.first()
        .is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_hides_the_global_until_its_function_ends() {
        let mut variables = Variables::new();
        variables.set(b"x", *b"1").unwrap();
        variables.push_scope();
        variables.modify_local(b"x", |variable| {
            variable.value = Some(Value::Scalar(b"2".to_vec()))
        });
        assert_eq!(variables.scalar(b"x"), Some(b"2".as_slice()));
        variables.pop_scope();
        assert_eq!(variables.scalar(b"x"), Some(b"1".as_slice()));
        assert_eq!(variables.bytes(), 1);
    }

    #[test]
    fn references_lead_to_their_variable_and_circles_end() {
        let mut variables = Variables::new();
        variables.modify(b"r", |variable| {
            variable.value = Some(Value::Scalar(b"x".to_vec()));
            variable.attributes.reference = true;
        });
        variables.set(b"r", *b"5").unwrap();
        assert_eq!(variables.scalar(b"x"), Some(b"5".as_slice()));
        variables.modify_global(b"x", |variable| {
            variable.value = Some(Value::Scalar(b"r".to_vec()));
            variable.attributes.reference = true;
        });
        variables.scalar(b"r");
    }
}
