//! From tokens to statements: one function per rule of the language.

use serde_json::{Map, Number, Value};

use super::lexer::{Token, tokens};
use super::syntax::{
    Counters, Enum, Enumerator, Field, File, Kind, Length, Message, Name, Rpc, Setting, Statement, Type,
};
use super::text::{Span, Text};
use crate::error::{LanguageError, LanguageFault};
use crate::model::Scalar;

/// Words that cannot be names. Words of the counters can: they came late, and fields had these names by then.
const RESERVED: [&str; 20] = [
    "service",
    "rpc",
    "returns",
    "null",
    "stream",
    "events",
    "define",
    "typedef",
    "enum",
    "enumflag",
    "typeonly",
    "manual_print",
    "manual_endian",
    "dont_trace",
    "autoreply",
    "autoendian",
    "option",
    "import",
    "union",
    "string",
];

const FLAGS: [&str; 6] =
    ["manual_print", "manual_endian", "dont_trace", "typeonly", "autoendian", "autoreply"];

/// What a statement may begin with.
const STATEMENT: &str =
    "`option`, `import`, `typedef`, `enum`, `enumflag`, `union`, `define`, `service`, `counters` or `paths`";

type Result<T> = std::result::Result<T, Box<LanguageError>>;

/// Reads a file.
pub(super) fn parse(text: Text) -> Result<File> {
    let mut parser = Parser { tokens: tokens(&text)?, text: &text, at: 0, comment: None };
    let statements = parser.statements()?;
    Ok(File { text, statements })
}

struct Parser<'a> {
    text: &'a Text,
    tokens: Vec<(Token, Span)>,
    at: usize,
    /// The last comment between statements that no definition took, and the line it ends at.
    comment: Option<(Span, usize)>,
}

impl Parser<'_> {
    fn statements(&mut self) -> Result<Vec<Statement>> {
        let mut statements = Vec::new();
        loop {
            match self.tokens.get(self.at) {
                Some((Token::Comment, span)) => {
                    self.comment = Some((*span, self.text.line(span.end.saturating_sub(1))));
                    self.at += 1;
                }
                Some((Token::End, _)) | None => break,
                Some(_) => statements.push(self.statement()?),
            }
        }
        if self.tokens.len() == 1 {
            return Err(self.unexpected(STATEMENT));
        }
        Ok(statements)
    }

    fn statement(&mut self) -> Result<Statement> {
        let first = self.at;
        match self.word() {
            "option" => self.option().map(Statement::Option),
            "import" => {
                self.advance();
                let import = self.quoted("the name of a file, in quotes")?;
                self.sign(b';')?;
                Ok(Statement::Import(import))
            }
            "enum" => self.enumeration(false).map(Statement::Type),
            "enumflag" => self.enumeration(true).map(Statement::Type),
            "service" => self.service().map(Statement::Service),
            "counters" => self.counters().map(Statement::Counters),
            "paths" => self.paths().map(Statement::Paths),
            "define" | "typedef" | "union" => self.definition(&[]),
            flag if FLAGS.contains(&flag) => {
                let mut flags = Vec::new();
                while let Some(&flag) = FLAGS.iter().find(|flag| **flag == self.word()) {
                    flags.push(flag);
                    self.advance();
                }
                if flags.contains(&"typeonly") && self.word() == "define" {
                    let span = self.tokens.get(first).map(|(_, span)| *span).unwrap_or_default();
                    return Err(self.fault(span, LanguageFault::TypeOnly));
                }
                self.definition(&flags)
            }
            _ => Err(self.unexpected(STATEMENT)),
        }
    }

    /// What flags may stand before.
    fn definition(&mut self, flags: &[&str]) -> Result<Statement> {
        let keyword = self.peek().1;
        match self.word() {
            "define" => {
                self.advance();
                let name = self.name("the name of the message")?;
                let comment = self.comment_before(keyword);
                let (fields, options) = self.block(true)?;
                let is_autoreply = flags.contains(&"autoreply");
                self.comment = None;
                Ok(Statement::Message(Message { name, is_autoreply, fields, options, comment }))
            }
            "typedef" => {
                self.advance();
                if self.peek_after_word() != Some(b'{') {
                    let field = self.field()?;
                    let name = field.name.clone();
                    return Ok(Statement::Type(Type { name, kind: Kind::Alias(field), comment: None }));
                }
                let name = self.name("the name of the type")?;
                // With flags VPP's tool goes by the line of the name.
                let comment = self.comment_before(if flags.is_empty() { keyword } else { name.span });
                let (fields, _) = self.block(false)?;
                self.comment = None;
                Ok(Statement::Type(Type { name, kind: Kind::Struct(fields), comment }))
            }
            "union" => {
                self.advance();
                let name = self.name("the name of the union")?;
                let (fields, _) = self.block(false)?;
                Ok(Statement::Type(Type { name, kind: Kind::Union(fields), comment: None }))
            }
            _ => Err(self.unexpected("`define`, `typedef` or `union`")),
        }
    }

    /// `{ fields and options };`
    fn block(&mut self, is_message: bool) -> Result<(Vec<Field>, Map<String, Value>)> {
        self.sign(b'{')?;
        let mut fields: Vec<Field> = Vec::new();
        let mut options = Map::new();
        loop {
            if self.word() == "option" {
                if !is_message {
                    return Err(self.fault(self.peek().1, LanguageFault::OptionOfType));
                }
                let option = self.option()?;
                options.insert(option.name.text, option.value);
            } else {
                let field = self.field()?;
                if let Length::Counted(count) = &field.length
                    && !fields.iter().any(|field| field.name.text == count.text)
                {
                    let fault = LanguageFault::NoCount { name: count.text.clone() };
                    return Err(self.fault(count.span, fault));
                }
                fields.push(field);
            }
            if self.is_sign(b'}') {
                break;
            }
        }
        self.advance();
        self.sign(b';')?;
        Ok((fields, options))
    }

    fn option(&mut self) -> Result<Setting> {
        self.advance();
        let name = self.name("the name of an option")?;
        let value = if self.is_sign(b'=') {
            self.advance();
            self.value()?
        } else {
            Value::Null
        };
        self.sign(b';')?;
        Ok(Setting { name, value })
    }

    /// `type name;`, `type name[length];`, `type name [options];`
    fn field(&mut self) -> Result<Field> {
        let ty = match self.word() {
            "string" => self.take(),
            word if Scalar::from_name(word).is_some() => self.take(),
            _ => self.name("the type of a field")?,
        };
        let name = self.name("the name of the field")?;
        let mut options = Map::new();
        let mut length = Length::One;
        if self.is_sign(b'[') {
            self.advance();
            match self.peek() {
                (Token::Sign(b']'), _) => {
                    if ty.text != "string" {
                        return Err(self.fault(name.span, LanguageFault::NoLength));
                    }
                    length = Length::Open;
                }
                (Token::Integer(number), span) => {
                    let Ok(number) = u64::try_from(*number) else {
                        return Err(self.fault(span, self.wrong("the length of an array")));
                    };
                    length = Length::Fixed(number);
                    self.advance();
                }
                _ => {
                    // A name alone between the brackets is that of the field that counts.
                    if self.peek_after_word() == Some(b']') {
                        length = Length::Counted(self.name("a length, a field or an option")?);
                    } else {
                        options = self.options("a length, a field or an option")?;
                    }
                }
            }
            self.sign(b']')?;
        }
        if ty.text == "string" && matches!(length, Length::One) {
            return Err(self.fault(name.span, LanguageFault::BareString));
        }
        self.sign(b';')?;
        Ok(Field { ty, name, length, options })
    }

    /// `name`, `name = value`, …: commas may follow values.
    fn options(&mut self, expected: &str) -> Result<Map<String, Value>> {
        let mut options = Map::new();
        let mut expected = expected;
        loop {
            let name = self.name(expected)?;
            expected = "`]` or another option";
            let mut value = Value::Null;
            if self.is_sign(b'=') {
                self.advance();
                value = self.value()?;
                if self.is_sign(b',') {
                    self.advance();
                }
            }
            options.insert(name.text, value);
            if self.is_sign(b']') {
                return Ok(options);
            }
        }
    }

    fn value(&mut self) -> Result<Value> {
        let value = match self.peek().0 {
            Token::Integer(value) => Value::Number(integer(*value)),
            Token::Float(value) => Value::Number(value.clone()),
            Token::Quoted(text) => Value::String(text.clone()),
            // As VPP's tool has it: false is false, and true is a word like any other.
            Token::Word if self.word() == "false" => Value::Bool(false),
            Token::Word if !RESERVED.contains(&self.word()) => Value::String(self.word().to_owned()),
            _ => return Err(self.unexpected("a number, a name, or a text in quotes")),
        };
        self.advance();
        Ok(value)
    }

    fn enumeration(&mut self, is_flags: bool) -> Result<Type> {
        self.advance();
        let name = self.name("the name of the enum")?;
        let mut repr = "u32";
        if self.is_sign(b':') {
            self.advance();
            let (known, expected): (&[&str], _) = if is_flags {
                (&["u8", "u16", "u32"], "`u8`, `u16` or `u32`")
            } else {
                (&["u8", "u16", "u32", "i8", "i16", "i32"], "`u8`, `u16`, `u32`, `i8`, `i16` or `i32`")
            };
            repr = match known.iter().find(|known| **known == self.word()) {
                Some(repr) => repr,
                None => return Err(self.unexpected(expected)),
            };
            self.advance();
        }
        self.sign(b'{')?;
        let mut members = Vec::new();
        while members.is_empty() || !self.is_sign(b'}') {
            members.push(self.enumerator()?);
        }
        self.advance();
        self.sign(b';')?;
        Ok(Type { name, kind: Kind::Enum(Enum { is_flags, repr, members }), comment: None })
    }

    fn enumerator(&mut self) -> Result<Enumerator> {
        let name = self.name("the name of an enumerator")?;
        let mut value = None;
        if self.is_sign(b'=') {
            self.advance();
            let Token::Integer(number) = self.peek().0 else {
                return Err(self.unexpected("the enumerator's number"));
            };
            value = Some(*number);
            self.advance();
        }
        let mut is_backwards_compatible = false;
        if self.is_sign(b'[') {
            self.advance();
            is_backwards_compatible = self.options("an option")?.contains_key("backwards_compatible");
            self.sign(b']')?;
        }
        self.sign(b',')?;
        Ok(Enumerator { name, value, is_backwards_compatible })
    }

    fn service(&mut self) -> Result<Vec<Rpc>> {
        self.advance();
        self.sign(b'{')?;
        let mut rpcs = Vec::new();
        while rpcs.is_empty() || !self.is_sign(b'}') {
            rpcs.push(self.rpc()?);
        }
        self.advance();
        self.sign(b';')?;
        Ok(rpcs)
    }

    fn rpc(&mut self) -> Result<Rpc> {
        self.keyword("rpc")?;
        let request = self.name("the name of the request")?;
        self.keyword("returns")?;
        let mut rpc = Rpc {
            request,
            reply: Name { text: String::new(), span: Span::default() },
            stream: self.word() == "stream",
            stream_message: None,
            events: Vec::new(),
        };
        if rpc.stream {
            self.advance();
            rpc.reply = self.name("the name of the message that is streamed")?;
        } else if self.word() == "null" {
            rpc.reply = self.take();
        } else {
            rpc.reply = self.name("the name of the reply, `null` or `stream`")?;
            if self.word() == "stream" {
                self.advance();
                rpc.stream = true;
                rpc.stream_message = Some(self.name("the name of the message that is streamed")?);
            } else if self.word() == "events" {
                self.advance();
                while rpc.events.is_empty() || !self.is_sign(b';') {
                    rpc.events.push(self.name("the name of an event")?);
                    if self.is_sign(b',') {
                        self.advance();
                    }
                }
            }
        }
        if rpc.request.text == rpc.reply.text {
            let fault = LanguageFault::OwnReply { name: rpc.request.text };
            return Err(self.fault(rpc.reply.span, fault));
        }
        self.sign(b';')?;
        Ok(rpc)
    }

    fn counters(&mut self) -> Result<Counters> {
        self.advance();
        let name = self.name("the name of the counters")?.text;
        self.sign(b'{')?;
        let mut elements = Vec::new();
        while elements.is_empty() || !self.is_sign(b'}') {
            let mut element = Map::new();
            let name = self.name("the name of a counter")?.text;
            element.insert("name".to_owned(), Value::String(name));
            self.sign(b'{')?;
            while element.len() == 1 || !self.is_sign(b'}') {
                let key = self.word().to_owned();
                let value = match key.as_str() {
                    "severity" | "type" => {
                        self.advance();
                        self.name("a word")?
                    }
                    "units" | "description" => {
                        self.advance();
                        self.quoted("a text in quotes")?
                    }
                    _ => return Err(self.unexpected("`severity`, `type`, `units` or `description`")),
                };
                element.insert(key, Value::String(value.text));
                self.sign(b';')?;
            }
            self.advance();
            self.sign(b';')?;
            elements.push(Value::Object(element));
        }
        self.advance();
        self.sign(b';')?;
        Ok(Counters { name, elements })
    }

    fn paths(&mut self) -> Result<Vec<(String, String)>> {
        self.advance();
        self.sign(b'{')?;
        let mut paths = Vec::new();
        while paths.is_empty() || !self.is_sign(b'}') {
            let path = self.quoted("a path, in quotes")?.text;
            let counters = self.quoted("the name of counters, in quotes")?.text;
            self.sign(b';')?;
            paths.push((path, counters));
        }
        self.advance();
        self.sign(b';')?;
        Ok(paths)
    }

    /// The comment that describes what stands at a place: it ends on the line before or later.
    fn comment_before(&self, place: Span) -> Option<String> {
        let (comment, end) = self.comment?;
        (self.text.line(place.start) <= end + 1).then(|| self.text.get(comment).to_owned())
    }

    /// The next token that is no comment.
    fn peek(&self) -> (&Token, Span) {
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        match rest.iter().find(|(token, _)| *token != Token::Comment) {
            Some((token, span)) => (token, *span),
            None => (&Token::End, Span { start: self.text.text.len(), end: self.text.text.len() }),
        }
    }

    fn advance(&mut self) {
        while let Some((Token::Comment, _)) = self.tokens.get(self.at) {
            self.at += 1;
        }
        if !matches!(self.tokens.get(self.at), Some((Token::End, _)) | None) {
            self.at += 1;
        }
    }

    /// The next token if it is a word, else nothing.
    fn word(&self) -> &str {
        match self.peek() {
            (Token::Word, span) => self.text.get(span),
            _ => "",
        }
    }

    /// The sign behind the next token, if that is a word.
    fn peek_after_word(&self) -> Option<u8> {
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        let mut rest = rest.iter().filter(|(token, _)| *token != Token::Comment);
        match (rest.next(), rest.next()) {
            (Some((Token::Word, _)), Some((Token::Sign(sign), _))) => Some(*sign),
            _ => None,
        }
    }

    fn is_sign(&self, sign: u8) -> bool {
        *self.peek().0 == Token::Sign(sign)
    }

    fn sign(&mut self, sign: u8) -> Result<()> {
        if !self.is_sign(sign) {
            return Err(self.unexpected(&format!("`{}`", char::from(sign))));
        }
        self.advance();
        Ok(())
    }

    fn keyword(&mut self, keyword: &str) -> Result<()> {
        if self.word() != keyword {
            return Err(self.unexpected(&format!("`{keyword}`")));
        }
        self.advance();
        Ok(())
    }

    fn name(&mut self, expected: &str) -> Result<Name> {
        let word = self.word();
        if word.is_empty() || RESERVED.contains(&word) || Scalar::from_name(word).is_some() {
            return Err(self.unexpected(expected));
        }
        Ok(self.take())
    }

    fn quoted(&mut self, expected: &str) -> Result<Name> {
        let (Token::Quoted(text), span) = self.peek() else { return Err(self.unexpected(expected)) };
        let name = Name { text: text.clone(), span };
        self.advance();
        Ok(name)
    }

    /// The next token, whatever it is.
    fn take(&mut self) -> Name {
        let span = self.peek().1;
        self.advance();
        Name { text: self.text.get(span).to_owned(), span }
    }

    fn unexpected(&self, expected: &str) -> Box<LanguageError> {
        self.fault(self.peek().1, self.wrong(expected))
    }

    fn wrong(&self, expected: &str) -> LanguageFault {
        let (token, span) = self.peek();
        let found = match token {
            Token::End => "the end of the file".to_owned(),
            Token::Quoted(_) => self.text.get(span).to_owned(),
            _ => format!("`{}`", self.text.get(span)),
        };
        LanguageFault::Unexpected { expected: expected.to_owned(), found }
    }

    fn fault(&self, span: Span, fault: LanguageFault) -> Box<LanguageError> {
        self.text.error(span, fault)
    }
}

/// A number of JSON. What is outside of 64 bits is no value of any type, and will be refused as such.
pub(super) fn integer(value: i128) -> Number {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => value.into(),
        (_, Ok(value)) => value.into(),
        #[allow(clippy::cast_precision_loss)]
        _ => Number::from_f64(value as f64).unwrap_or_else(|| 0.into()),
    }
}
