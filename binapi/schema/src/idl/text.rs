//! The text of a file, and places in it.

use crate::error::{LanguageError, LanguageFault};

/// A file's text.
#[derive(Debug)]
pub(super) struct Text {
    /// How errors call the file.
    pub(super) path: String,
    pub(super) text: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// A part of a text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Text {
    pub(super) fn new(path: String, text: &str) -> Self {
        // As VPP's tool reads it: any end of a line is one character.
        let text = if text.contains('\r') {
            text.replace("\r\n", "\n").replace('\r', "\n")
        } else {
            text.to_owned()
        };
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(newlines).collect();
        Self { path, text, lines }
    }

    pub(super) fn get(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The line of a place, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|&start| start <= at)
    }

    /// File and line, for what refers to another place than the error's own.
    pub(super) fn locate(&self, span: Span) -> String {
        format!("{}:{}", self.path, self.line(span.start))
    }

    /// What is wrong with a part.
    pub(super) fn error(&self, span: Span, fault: LanguageFault) -> Box<LanguageError> {
        let line = self.line(span.start);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let rest = self.text.get(start..).unwrap_or_default();
        let source_line = rest.lines().next().unwrap_or_default().to_owned();
        let before = self.get(Span { start, end: span.start }).chars().count();
        let end = span.end.min(start + source_line.len()).max(span.start);
        let width = self.get(Span { start: span.start, end }).chars().count().max(1);
        Box::new(LanguageError {
            path: self.path.clone(),
            line,
            column: before + 1,
            fault,
            source_line,
            width,
        })
    }
}
