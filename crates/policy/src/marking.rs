//! How labels are written: banners and portion marks, and reading what a person typed.
//!
//! Writing is injective: two different markings of a scheme never look the same.

use std::collections::{BTreeMap, BTreeSet};

use base::{Label, Level, Marking, Play, Releasable, SchemeId, Token};

use crate::Error;
use crate::scheme::{Category, Classification, Part, Scheme, SchemeFile, Schemes};

/// Which of the two ways of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// In words, at the top and bottom of a page.
    Banner,
    /// In letters, before a paragraph.
    Portion,
}

const FORMS: [Form; 2] = [Form::Banner, Form::Portion];
/// Between the markings of two schemes, and after the word EXERCISE.
const BETWEEN: &str = " | ";
const EXERCISE: &str = "EXERCISE";

fn level_text(level: &Classification, form: Form) -> &str {
    match form {
        Form::Banner => level.name.as_str(),
        Form::Portion => level.portion.as_str(),
    }
}

fn category_text(category: &Category, form: Form) -> &str {
    match form {
        Form::Banner => category.name.as_str(),
        Form::Portion => category.portion.as_str(),
    }
}

/// The levels as they begin a marking, with and without the fused caveat.
fn level_heads(file: &SchemeFile, form: Form) -> Vec<(String, Level, Option<&Category>)> {
    let mut heads = Vec::new();
    for level in &file.levels {
        let text = level_text(level, form);
        heads.push((text.to_owned(), level.rank, None));
        for caveat in file.caveats.iter().filter(|caveat| caveat.fused) {
            let text = format!("{text}-{}", category_text(caveat, form));
            heads.push((text, level.rank, Some(caveat)));
        }
    }
    heads
}

/// The lists of audiences that have words of their own.
fn audience_texts(file: &SchemeFile, form: Form) -> Vec<(&str, Releasable)> {
    let phrases = file.phrases.iter().map(|phrase| match form {
        Form::Banner => (phrase.name.as_str(), Releasable::Only(phrase.codes.clone())),
        Form::Portion => (phrase.portion.as_str(), Releasable::Only(phrase.codes.clone())),
    });
    let open = file.marking.unrestricted.as_deref().map(|text| (text, Releasable::Unrestricted));
    let nobody = (file.marking.nobody.as_str(), Releasable::Only(BTreeSet::new()));
    phrases.chain(open).chain([nobody]).collect()
}

/// The first words of every marking of the scheme, in both forms.
pub(crate) fn heads(file: &SchemeFile) -> Vec<String> {
    let written = file.marking.order.contains(&Part::Level);
    let of = |form| -> Vec<String> {
        if written {
            level_heads(file, form).into_iter().map(|(text, ..)| text).collect()
        } else {
            audience_texts(file, form).into_iter().map(|(text, _)| text.to_owned()).collect()
        }
    };
    FORMS.into_iter().flat_map(of).collect()
}

/// Looks for words of a scheme that could be read in two ways.
pub(crate) fn texts_fault(file: &SchemeFile) -> Option<String> {
    let template = &file.marking;
    if template.separator.trim().is_empty() || template.within.trim().is_empty() {
        return Some("a separator is blank".into());
    }
    let marks = [template.separator.as_str(), template.within.as_str(), "|", "(", ")", ","];
    let codes = file.audiences.iter().map(|audience| &audience.code);
    for code in codes.chain(file.groups.iter().map(|group| &group.code)) {
        if format!("{}{code}", template.release) == template.nobody || code.as_str().contains("//")
        {
            return Some(format!("audience `{code}` reads as something else"));
        }
    }
    for form in FORMS {
        let levels = level_heads(file, form).into_iter().map(|(text, ..)| text);
        let categories = file.compartments.iter().chain(&file.caveats);
        let categories = categories.map(|category| category_text(category, form).to_owned());
        let audiences = audience_texts(file, form).into_iter().map(|(text, _)| text.to_owned());
        let mut seen = BTreeSet::new();
        for text in levels.chain(categories).chain(audiences) {
            let prefixed = text.starts_with(&template.release) && text != template.nobody;
            let lower = text != text.to_uppercase();
            if prefixed || lower || marks.iter().any(|mark| text.contains(mark)) {
                return Some(format!("`{text}` has a sign that separates or begins a part"));
            }
            if !seen.insert(text.clone()) {
                return Some(format!("`{text}` stands for two things"));
            }
        }
    }
    None
}

impl Scheme {
    /// Writes a marking in one form, without brackets.
    ///
    /// # Errors
    /// [`Error::Marking`] when the scheme does not know a level, code or list.
    pub fn write(&self, marking: &Marking, form: Form) -> Result<String, Error> {
        self.known(marking)?;
        let file = self.file();
        let mut parts = Vec::new();
        for part in &file.marking.order {
            let text = match part {
                Part::Level => self.level_part(marking, form),
                Part::Compartments => {
                    self.codes_part(&file.compartments, &marking.compartments, form)
                }
                Part::Releasable => self.audience_part(&marking.releasable_to, form),
                Part::Caveats => self.codes_part(&file.caveats, &marking.caveats, form),
            };
            parts.extend(text);
        }
        Ok(parts.join(&file.marking.separator))
    }

    fn level_part(&self, marking: &Marking, form: Form) -> Option<String> {
        let fused =
            self.file().caveats.iter().find(|c| c.fused && marking.caveats.contains(&c.code));
        let heads = level_heads(self.file(), form);
        let mut found = heads.into_iter().filter(|(_, rank, _)| *rank == marking.level);
        found.find(|(_, _, caveat)| *caveat == fused).map(|(text, ..)| text)
    }

    fn codes_part(&self, known: &[Category], used: &BTreeSet<Token>, form: Form) -> Option<String> {
        // In the order of the file, which is the scheme's own.
        let used = known.iter().filter(|c| !c.fused && used.contains(&c.code));
        let texts: Vec<&str> = used.map(|category| category_text(category, form)).collect();
        (!texts.is_empty()).then(|| texts.join(&self.file().marking.within))
    }

    fn audience_part(&self, audience: &Releasable, form: Form) -> Option<String> {
        let worded = audience_texts(self.file(), form);
        if let Some((text, _)) = worded.into_iter().find(|(_, list)| list == audience) {
            return Some(text.to_owned());
        }
        match audience {
            Releasable::Unrestricted => None,
            Releasable::Only(codes) => {
                let codes: Vec<&str> = codes.iter().map(Token::as_str).collect();
                Some(format!("{}{}", self.file().marking.release, codes.join(", ")))
            }
        }
    }

    /// Reads a marking that [`Scheme::write`] wrote, or that a person typed; `None` when it is
    /// none.
    ///
    /// Capitals do not matter; nor does the order of parts and codes. Constraints are not asked:
    /// the composer calls [`Scheme::check`], so that it can say what is wrong.
    pub fn read(&self, text: &str, form: Form) -> Option<Marking> {
        let text = text.trim().to_uppercase();
        let file = self.file();
        let mut blocks = text.split(file.marking.separator.as_str()).map(str::trim).peekable();
        let mut marking = Marking::default();
        if file.marking.order.contains(&Part::Level) {
            let head = blocks.next()?;
            let mut heads = level_heads(file, form).into_iter();
            let (_, rank, fused) = heads.find(|(text, ..)| text == head)?;
            marking.level = rank;
            marking.caveats.extend(fused.map(|caveat| caveat.code.clone()));
        } else {
            blocks.peek()?;
            marking.level = file.levels.first()?.rank;
        }
        let mut seen = BTreeSet::new();
        for block in blocks {
            if !seen.insert(self.read_block(block, form, &mut marking)?) {
                return None;
            }
        }
        self.known(&marking).is_ok().then_some(marking)
    }

    /// Reads one part into the marking and says which it was.
    fn read_block(&self, block: &str, form: Form, marking: &mut Marking) -> Option<Part> {
        let file = self.file();
        let mut worded = audience_texts(file, form).into_iter();
        if let Some((_, audience)) = worded.find(|(text, _)| *text == block) {
            marking.releasable_to = audience;
            return Some(Part::Releasable);
        }
        if let Some(list) = block.strip_prefix(file.marking.release.as_str()) {
            let codes = list.split(',').map(|code| Token::new(code.trim()).ok());
            marking.releasable_to = Releasable::Only(codes.collect::<Option<BTreeSet<_>>>()?);
            return Some(Part::Releasable);
        }
        let texts: Vec<&str> = block.split(file.marking.within.as_str()).map(str::trim).collect();
        let find = |known: &[Category]| -> Option<BTreeSet<Token>> {
            let one = |text: &&str| {
                let open = known.iter().filter(|category| !category.fused);
                let mut named = open.filter(|category| category_text(category, form) == *text);
                named.next().map(|category| category.code.clone())
            };
            texts.iter().map(one).collect()
        };
        if let Some(codes) = find(&file.compartments) {
            marking.compartments = codes;
            return Some(Part::Compartments);
        }
        marking.caveats.extend(find(&file.caveats)?);
        Some(Part::Caveats)
    }

    /// The colour of a marking's banner.
    pub fn colour(&self, marking: &Marking) -> Option<&str> {
        let phrase = match &marking.releasable_to {
            Releasable::Unrestricted => None,
            Releasable::Only(codes) => self.phrase(codes).and_then(|phrase| phrase.colour.as_ref()),
        };
        let level = || self.level(marking.level).map(|level| &level.colour);
        phrase.or_else(level).map(base::Line::as_str)
    }
}

impl Schemes {
    /// Writes a label for the top and bottom of a page; an exercise says so first.
    ///
    /// # Errors
    /// [`Error::SchemeUnknown`] and [`Error::Marking`] when a marking is not of its scheme.
    pub fn banner(&self, label: &Label) -> Result<String, Error> {
        self.write(label, Form::Banner)
    }

    /// Writes a label before a paragraph: `(S//REL TO FRA)`.
    ///
    /// # Errors
    /// As [`Schemes::banner`].
    pub fn portion(&self, label: &Label) -> Result<String, Error> {
        Ok(format!("({})", self.write(label, Form::Portion)?))
    }

    fn write(&self, label: &Label, form: Form) -> Result<String, Error> {
        let mut parts = match label.play() {
            Play::Live => Vec::new(),
            Play::Exercise(_) => vec![EXERCISE.to_owned()],
        };
        for (id, marking) in label.markings() {
            parts.push(self.get(id)?.write(marking, form)?);
        }
        Ok(parts.join(BETWEEN))
    }

    /// Reads a portion mark as a person types it, with or without brackets.
    ///
    /// The play and the originator are not typed: they are those of the record.
    ///
    /// # Errors
    /// [`Error::Portion`] when a part is a marking of no scheme, or two parts are of one.
    pub fn parse_portion(&self, text: &str) -> Result<BTreeMap<SchemeId, Marking>, Error> {
        let refusal = || Error::Portion(text.chars().take(64).collect());
        let typed = text.trim();
        let inner = typed.strip_prefix('(').and_then(|typed| typed.strip_suffix(')'));
        let mut markings = BTreeMap::new();
        for (at, part) in inner.unwrap_or(typed).split('|').enumerate() {
            if at == 0 && part.trim() == EXERCISE {
                continue;
            }
            let read = |scheme: &Scheme| {
                scheme.read(part, Form::Portion).map(|marking| (scheme.id().clone(), marking))
            };
            // Heads differ between schemes, so at most one reads the part.
            let (id, marking) = self.iter().find_map(read).ok_or_else(refusal)?;
            if markings.insert(id, marking).is_some() {
                return Err(refusal());
            }
        }
        if markings.is_empty() { Err(refusal()) } else { Ok(markings) }
    }

    /// The colour of a label's banner: that of its first scheme, in the order of their names.
    pub fn colour(&self, label: &Label) -> Option<&str> {
        label.markings().iter().find_map(|(id, m)| self.get(id).ok()?.colour(m))
    }
}
