//! Where in a message a value stands.

use std::fmt::Write as _;

/// The way from the message down to a value: `route.paths[2].nh`.
#[derive(Debug, Default)]
pub struct Path<'a>(Vec<Step<'a>>);

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// Goes down to a field.
    pub fn enter(&mut self, field: &'a str) {
        self.0.push(Step::Field(field));
    }

    /// Goes down to an element.
    pub fn enter_index(&mut self, index: usize) {
        self.0.push(Step::Index(index));
    }

    /// Goes up again.
    pub fn leave(&mut self) {
        self.0.pop();
    }

    /// The way as text; empty for the message itself.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for step in &self.0 {
            // Writing to a String cannot fail.
            let _ = match step {
                Step::Field(name) if text.is_empty() => write!(text, "{name}"),
                Step::Field(name) => write!(text, ".{name}"),
                Step::Index(index) => write!(text, "[{index}]"),
            };
        }
        text
    }
}
