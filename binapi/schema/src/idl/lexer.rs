//! From text to words, numbers, quoted texts, signs and comments.

use serde_json::Number;

use super::text::{Span, Text};
use crate::error::{LanguageError, LanguageFault};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a word of the language.
    Word,
    Integer(i128),
    Float(Number),
    /// Quoted; without the quotes.
    Quoted(String),
    /// One of `:{}[];=.,`.
    Sign(u8),
    Comment,
    End,
}

/// The tokens of a text; the last one is the end.
pub(super) fn tokens(text: &Text) -> Result<Vec<(Token, Span)>, Box<LanguageError>> {
    let mut lexer = Lexer { text, bytes: text.text.as_bytes(), at: 0 };
    let mut tokens = Vec::with_capacity(text.text.len() / 5);
    loop {
        let (token, span) = lexer.next()?;
        let is_end = token == Token::End;
        tokens.push((token, span));
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a Text,
    bytes: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<(Token, Span), Box<LanguageError>> {
        while matches!(self.peek(0), Some(b' ' | b'\t' | b'\n')) {
            self.at += 1;
        }
        let start = self.at;
        let token = match self.peek(0) {
            None => Token::End,
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
                self.skip(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                Token::Word
            }
            Some(b'0'..=b'9') => self.number(start)?,
            Some(b'-') if self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(start)?,
            Some(b'"') => self.quoted(start)?,
            Some(b'/') if self.peek(1) == Some(b'/') => {
                self.skip(|byte| byte != b'\n');
                Token::Comment
            }
            Some(b'/') if self.peek(1) == Some(b'*') => {
                let length = self.text.text.get(start + 2..).and_then(|rest| rest.find("*/"));
                let length = length.ok_or_else(|| {
                    self.error(Span { start, end: start + 2 }, LanguageFault::UnclosedComment)
                })?;
                self.at = start + 2 + length + 2;
                Token::Comment
            }
            Some(sign @ (b':' | b'{' | b'}' | b'[' | b']' | b';' | b'=' | b'.' | b',')) => {
                self.at += 1;
                Token::Sign(sign)
            }
            Some(_) => {
                let found = self.text.text.get(start..).and_then(|rest| rest.chars().next());
                let found = found.unwrap_or(char::REPLACEMENT_CHARACTER);
                let span = Span { start, end: start + found.len_utf8() };
                return Err(self.error(span, LanguageFault::Character { found }));
            }
        };
        Ok((token, Span { start, end: self.at }))
    }

    fn number(&mut self, start: usize) -> Result<Token, Box<LanguageError>> {
        let is_hex = self.peek(0) == Some(b'0')
            && matches!(self.peek(1), Some(b'x' | b'X'))
            && self.peek(2).is_some_and(|byte| byte.is_ascii_hexdigit());
        let value = if is_hex {
            self.at += 2;
            self.skip(|byte| byte.is_ascii_hexdigit());
            let digits = self.text.get(Span { start: start + 2, end: self.at });
            i128::from_str_radix(digits, 16).ok().map(Token::Integer)
        } else {
            self.at += 1;
            self.skip(|byte| byte.is_ascii_digit());
            if self.peek(0) == Some(b'.') {
                self.at += 1;
                self.skip(|byte| byte.is_ascii_digit());
                let value: Option<f64> = self.text.get(Span { start, end: self.at }).parse().ok();
                value.and_then(Number::from_f64).map(Token::Float)
            } else {
                self.text.get(Span { start, end: self.at }).parse().ok().map(Token::Integer)
            }
        };
        let in_range = |value: &Token| match value {
            Token::Integer(value) => (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(value),
            _ => true,
        };
        value.filter(in_range).ok_or_else(|| {
            let span = Span { start, end: self.at };
            self.error(span, LanguageFault::Number { text: self.text.get(span).to_owned() })
        })
    }

    /// A backslash keeps a quote from ending the text. As VPP's tool has it, the backslash stays and the quote goes.
    fn quoted(&mut self, start: usize) -> Result<Token, Box<LanguageError>> {
        self.at += 1;
        loop {
            match self.peek(0) {
                Some(b'"') => break,
                Some(b'\\') if self.peek(1).is_some_and(|byte| byte != b'\n') => self.at += 2,
                None | Some(b'\n' | b'\\') => {
                    return Err(self.error(Span { start, end: self.at }, LanguageFault::UnclosedText));
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        Ok(Token::Quoted(self.text.get(Span { start, end: self.at }).replace('"', "")))
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn skip(&mut self, belongs: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&belongs) {
            self.at += 1;
        }
    }

    fn error(&self, span: Span, fault: LanguageFault) -> Box<LanguageError> {
        self.text.error(span, fault)
    }
}
