//! One text with variables → its value, in one pass.
//!
//! The syntax is that of the Compose Specification (`interpolation.md`) as compose-go's `template` package
//! reads it: within a variable's braces, further braces must pair.

use std::ops::Range;

/// Variables within variables.
pub(super) const DEPTH: usize = 16;

/// Bytes of one value.
pub(super) const LENGTH: usize = 1 << 20;

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expansion {
    /// The text with variables replaced.
    pub text: String,
    /// Variables without default that have no value, with their places in the template.
    pub unset: Vec<(String, Range<usize>)>,
    /// Places of dollars that start no variable and stay as they are.
    pub lone: Vec<Range<usize>>,
}

/// Why a text cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place in the template.
    pub at: Range<usize>,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What can be wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// `${A`.
    Unclosed,
    /// `${}`.
    NoName,
    /// `${1A}`, with the name as written.
    BadName(String),
    /// `${A!x}`, with the character as written.
    BadOperator(char),
    /// Variables within variables within …
    TooDeep,
    /// The value is too long.
    TooLong,
    /// `${A:?why}` or `${A?why}` without a value.
    Required {
        /// The variable.
        name: String,
        /// What the manifest's author says about it.
        message: String,
        /// Whether the variable is set, but empty.
        empty: bool,
    },
}

/// Replaces the variables of a text.
///
/// # Errors
/// Returns the first [`Fault`], also of a default that is not used.
pub fn expand(template: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Expansion, Fault> {
    let mut reader = Reader { template, at: 0, lookup, expansion: Expansion::default() };
    let mut text = String::with_capacity(template.len());
    reader.words(&mut text, true, 0)?;
    Ok(Expansion { text, ..reader.expansion })
}

struct Reader<'a> {
    template: &'a str,
    at: usize,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    expansion: Expansion,
}

/// What follows a variable's name within braces.
#[derive(Clone, Copy)]
struct Operator {
    kind: OperatorKind,
    /// Whether an empty value counts as none (the forms with a colon).
    or_empty: bool,
}

#[derive(Clone, Copy)]
enum OperatorKind {
    Default,
    Alternative,
    Required,
}

impl<'a> Reader<'a> {
    /// Reads up to the end of the text or, within a variable (`depth` > 0), to its closing brace. Text that is
    /// not `wanted` is checked and thrown away.
    fn words(&mut self, out: &mut String, wanted: bool, depth: usize) -> Result<(), Fault> {
        let mut braces = 0usize;
        while let Some(special) = self.rest().find(['$', '{', '}']) {
            self.copy(out, special, wanted)?;
            match self.rest().as_bytes().first() {
                Some(b'$') => self.dollar(out, wanted, depth)?,
                Some(b'}') if depth > 0 && braces == 0 => return Ok(()),
                Some(b'}') => {
                    braces = braces.saturating_sub(1);
                    self.copy(out, 1, wanted)?;
                }
                Some(_) | None => {
                    braces += 1;
                    self.copy(out, 1, wanted)?;
                }
            }
        }
        let left = self.rest().len();
        self.copy(out, left, wanted)
    }

    fn dollar(&mut self, out: &mut String, wanted: bool, depth: usize) -> Result<(), Fault> {
        let start = self.at;
        let after = &self.rest()[1..];
        match after.as_bytes().first() {
            Some(b'$') => {
                self.at += 1;
                self.copy(out, 1, wanted)
            }
            Some(b'{') => self.braced(out, wanted, depth),
            Some(first) if is_name_start(*first) => {
                let name = &after[..name_length(after)];
                self.at += 1 + name.len();
                let name = name.to_owned();
                self.value(out, &name, start, wanted)
            }
            Some(_) | None => {
                if wanted {
                    self.expansion.lone.push(start..start + 1);
                }
                self.copy(out, 1, wanted)
            }
        }
    }

    fn braced(&mut self, out: &mut String, wanted: bool, depth: usize) -> Result<(), Fault> {
        let start = self.at;
        if depth >= DEPTH {
            return Err(Fault { at: start..start + 2, kind: FaultKind::TooDeep });
        }
        self.at += 2;
        let name = self.name(start)?;
        match self.rest().as_bytes().first() {
            Some(b'}') => {
                self.at += 1;
                self.value(out, &name, start, wanted)
            }
            Some(_) => {
                let operator = self.operator()?;
                self.operated(out, (&name, operator), start, wanted, depth + 1)
            }
            None => Err(self.unclosed(start)),
        }
    }

    fn name(&mut self, start: usize) -> Result<String, Fault> {
        let rest = self.rest();
        let name = &rest[..name_length(rest)];
        if name.is_empty() {
            let written = rest.split(['}', ':', '-', '+', '?', '$']).next().unwrap_or("");
            let end = self.at + written.len();
            if end == self.template.len() && !rest.contains('}') {
                return Err(self.unclosed(start));
            }
            let kind = match written {
                "" => FaultKind::NoName,
                written => FaultKind::BadName(written.chars().take(40).collect()),
            };
            let at = if written.is_empty() { start..end } else { self.at..end };
            return Err(Fault { at, kind });
        }
        self.at += name.len();
        Ok(name.to_owned())
    }

    fn operator(&mut self) -> Result<Operator, Fault> {
        let rest = self.rest();
        let (or_empty, length) = if rest.starts_with(':') { (true, 1) } else { (false, 0) };
        let kind = match rest.as_bytes().get(length) {
            Some(b'-') => OperatorKind::Default,
            Some(b'+') => OperatorKind::Alternative,
            Some(b'?') => OperatorKind::Required,
            Some(_) | None => {
                let found = rest.chars().next().unwrap_or(':');
                let at = self.at..self.at + found.len_utf8();
                return Err(Fault { at, kind: FaultKind::BadOperator(found) });
            }
        };
        self.at += length + 1;
        Ok(Operator { kind, or_empty })
    }

    /// Reads the word behind an operator and decides what it means.
    fn operated(
        &mut self,
        out: &mut String,
        (name, operator): (&str, Operator),
        start: usize,
        wanted: bool,
        depth: usize,
    ) -> Result<(), Fault> {
        let value = if wanted { (self.lookup)(name) } else { None };
        let empty = value.as_deref() == Some("");
        let present = value.is_some() && !(operator.or_empty && empty);
        let used = wanted && present == matches!(operator.kind, OperatorKind::Alternative);
        let word = self.word(wanted, used, depth)?;
        if self.rest().is_empty() {
            return Err(self.unclosed(start));
        }
        self.at += 1;
        let at = start..self.at;
        match operator.kind {
            OperatorKind::Required if wanted && !present => {
                let kind = FaultKind::Required { name: name.to_owned(), message: word, empty };
                Err(Fault { at, kind })
            }
            OperatorKind::Default | OperatorKind::Required if present => {
                push(out, &value.unwrap_or_default(), at)
            }
            OperatorKind::Default | OperatorKind::Alternative if used => push(out, &word, at),
            OperatorKind::Default | OperatorKind::Required | OperatorKind::Alternative => Ok(()),
        }
    }

    /// Reads the word behind an operator. One that is not used is put together all the same, for Compose asks for
    /// the variables that it requires (compose-go, `template.withDefaultWhenAbsence`).
    fn word(&mut self, wanted: bool, used: bool, depth: usize) -> Result<String, Fault> {
        let (unset, lone) = (self.expansion.unset.len(), self.expansion.lone.len());
        let mut word = String::new();
        self.words(&mut word, wanted, depth)?;
        if !used {
            self.expansion.unset.truncate(unset);
            self.expansion.lone.truncate(lone);
        }
        Ok(word)
    }

    /// Puts in the value of a variable without operator, which ends here.
    fn value(&mut self, out: &mut String, name: &str, start: usize, wanted: bool) -> Result<(), Fault> {
        if !wanted {
            return Ok(());
        }
        if let Some(value) = (self.lookup)(name) {
            return push(out, &value, start..self.at);
        }
        self.expansion.unset.push((name.to_owned(), start..self.at));
        Ok(())
    }

    /// Takes bytes over as they stand.
    fn copy(&mut self, out: &mut String, length: usize, wanted: bool) -> Result<(), Fault> {
        let at = self.at..self.at + length;
        self.at = at.end;
        if wanted { push(out, &self.template[at.clone()], at) } else { Ok(()) }
    }

    fn rest(&self) -> &'a str {
        &self.template[self.at..]
    }

    fn unclosed(&self, start: usize) -> Fault {
        Fault { at: start..self.template.len(), kind: FaultKind::Unclosed }
    }
}

fn push(out: &mut String, text: &str, at: Range<usize>) -> Result<(), Fault> {
    if out.len() + text.len() > LENGTH {
        return Err(Fault { at, kind: FaultKind::TooLong });
    }
    out.push_str(text);
    Ok(())
}

fn is_name_start(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphabetic()
}

/// Returns how many bytes of a text are a variable's name.
fn name_length(text: &str) -> usize {
    match text.as_bytes().first() {
        Some(first) if is_name_start(*first) => {
            text.bytes().position(|byte| !is_name_start(byte) && !byte.is_ascii_digit()).unwrap_or(text.len())
        }
        Some(_) | None => 0,
    }
}
