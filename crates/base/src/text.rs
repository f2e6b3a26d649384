//! Bounded text: a single line, a longer text, a code token, and a list that is never empty.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that breaks its rule.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TextError {
    #[error("text is empty")]
    Empty,
    #[error("text has {0} bytes, more than {1}")]
    TooLong(usize, usize),
    #[error("text has the control character U+{0:04X}")]
    Control(u32),
    #[error("`{0}` is not a code of capital letters, digits, space, `-`, `_`, `/`, `.`, `+`, `:`")]
    Token(String),
    #[error("list is empty")]
    EmptyList,
}

macro_rules! bounded {
    ($name:ident, $doc:literal, $control:expr) => {
        #[doc = $doc]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name<const MAX: usize>(String);

        impl<const MAX: usize> $name<MAX> {
            /// Takes a text after checking its rule.
            ///
            /// # Errors
            /// [`TextError`] when it is empty, longer than `MAX` bytes or has control characters.
            pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
                let text = text.into();
                if text.trim().is_empty() {
                    return Err(TextError::Empty);
                }
                if text.len() > MAX {
                    return Err(TextError::TooLong(text.len(), MAX));
                }
                let refused: fn(char) -> bool = $control;
                if let Some(c) = text.chars().find(|c| refused(*c)) {
                    return Err(TextError::Control(u32::from(c)));
                }
                Ok(Self(text))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<const MAX: usize> fmt::Display for $name<MAX> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<const MAX: usize> Serialize for $name<MAX> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de, const MAX: usize> Deserialize<'de> for $name<MAX> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

bounded!(
    Line,
    "One line of at most `MAX` bytes of UTF-8, not blank, without control characters.",
    |c| { c.is_control() || bidirectional(c) }
);
bounded!(
    Text,
    "Text of at most `MAX` bytes of UTF-8, not blank; line feed and tab are its only controls.",
    |c| (c.is_control() && c != '\n' && c != '\t') || bidirectional(c)
);

/// Overrides of writing direction: they let a text look other than it is (Unicode TR 36 §3).
fn bidirectional(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A code of a scheme or list, such as `SECRET`, `REL-FRA` or `BR/7`: 1 to 48 bytes of ASCII.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(String);

impl Token {
    /// Takes a code after checking it.
    ///
    /// # Errors
    /// [`TextError::Token`] when it is empty, longer than 48 bytes or has other characters.
    pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
        let text = text.into();
        let allowed =
            |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b" -_/.+:".contains(&b);
        let trimmed = text.trim() == text;
        if text.is_empty() || text.len() > 48 || !trimmed || !text.bytes().all(allowed) {
            return Err(TextError::Token(text.chars().take(64).collect()));
        }
        Ok(Self(text))
    }

    /// The code itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A list with at least one member: an empty audience cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct NonEmpty<T>(Vec<T>);

impl<T> NonEmpty<T> {
    /// Takes a list after checking that it has a member.
    ///
    /// # Errors
    /// [`TextError::EmptyList`] for the empty list.
    pub fn new(members: Vec<T>) -> Result<Self, TextError> {
        if members.is_empty() { Err(TextError::EmptyList) } else { Ok(Self(members)) }
    }

    /// A list of one.
    pub fn one(member: T) -> Self {
        Self(vec![member])
    }

    /// The members in order.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }

    /// Iterates over the members in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a NonEmpty<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NonEmpty<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
