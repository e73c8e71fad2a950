//! VPP's comments: `\brief`, `@param name - text`, and free text between C's comment marks.

/// What a comment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comment {
    /// Paragraphs about the whole.
    pub(super) text: Vec<String>,
    /// Fields and what they mean.
    params: Vec<(String, String)>,
}

impl Comment {
    /// Reads a comment as the definitions hold it.
    pub(super) fn parse(raw: &str) -> Self {
        let mut comment = Self::default();
        let mut open = Open::Text;
        for line in raw.lines() {
            let line = bare(line);
            if line.is_empty() {
                open = Open::NewParagraph;
                continue;
            }
            if let Some(param) = tag(line, &["param"]) {
                let (name, text) = split_param(param);
                comment.params.push((name.to_owned(), text.to_owned()));
                open = Open::Param;
                continue;
            }
            let (line, starts) = match tag(line, &["brief", "short"]) {
                Some(text) => (text, true),
                None => match tag(line, &["return", "returns", "retval", "note"]) {
                    Some(text) => (text, true),
                    None => (line, false),
                },
            };
            match (open, comment.params.last_mut(), comment.text.last_mut()) {
                (Open::Param, Some((_, text)), _) if !starts => append(text, line),
                (Open::Text, _, Some(text)) if !starts => append(text, line),
                _ => {
                    comment.text.push(line.to_owned());
                    open = Open::Text;
                }
            }
        }
        comment.text.retain(|text| !text.is_empty());
        comment
    }

    /// What it says of a field.
    pub(super) fn param(&self, field: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(name, text)| name == field && !text.is_empty())
            .map(|(_, text)| text.as_str())
    }
}

/// What the next plain line continues.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    NewParagraph,
    Param,
}

/// A line without C's comment marks and the space around.
fn bare(line: &str) -> &str {
    let line = line.trim().trim_end_matches("*/").trim_end();
    let line = line.strip_prefix("/*").unwrap_or(line);
    line.trim_start_matches('*').trim()
}

/// The text behind `@name` or `\name`.
fn tag<'l>(line: &'l str, names: &[&str]) -> Option<&'l str> {
    let rest = line.strip_prefix(['@', '\\'])?;
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    names.contains(&&rest[..end]).then(|| rest[end..].trim())
}

/// `name - text`; also `name : text`, `[in] name text` and a lone name.
fn split_param(param: &str) -> (&str, &str) {
    let param = match param.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest.trim_start(),
        None => param,
    };
    let end = param.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(param.len());
    let text = param[end..]
        .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '-' | ':' | '[' | ']' | ','));
    (&param[..end], text.trim_end())
}

fn append(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(line);
}

/// A text of VPP's as rustdoc text: nothing in it is markup.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !escaped.is_empty() {
            escaped.push(' ');
        }
        if word.contains("://") {
            // A bare address is a warning; a quoted one is not.
            escaped.push('`');
            escaped.extend(word.chars().filter(|c| *c != '`'));
            escaped.push('`');
            continue;
        }
        for c in word.chars() {
            if matches!(c, '[' | ']' | '<' | '>' | '*' | '`' | '\\' | '|' | '#' | '~')
                || (c == '_' && word.starts_with('_'))
            {
                escaped.push('\\');
            }
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brief_params_and_paragraphs() {
        let comment = Comment::parse(
            "/** \\brief Add / del table request\n           A table can be added twice.\n\n    More of it.\n    @param is_add - 1 to add,\n                    0 to delete\n    @param lone\n    @param table : the table\n*/",
        );
        assert_eq!(comment.text, ["Add / del table request A table can be added twice.", "More of it."]);
        assert_eq!(comment.param("is_add"), Some("1 to add, 0 to delete"));
        assert_eq!(comment.param("lone"), None);
        assert_eq!(comment.param("table"), Some("the table"));
        assert_eq!(comment.param("context"), None);
    }

    #[test]
    fn odd_comments_do_not_break() {
        assert_eq!(Comment::parse(""), Comment::default());
        assert_eq!(Comment::parse("/** */"), Comment::default());
        assert_eq!(Comment::parse("/** get status of reassembly */").text, ["get status of reassembly"]);
        assert_eq!(Comment::parse("@param").params, [(String::new(), String::new())]);
        assert_eq!(Comment::parse("@brief").text, Vec::<String>::new());
    }

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escape("a [b] <c>  https://x.y/[z]"), "a \\[b\\] \\<c\\> `https://x.y/[z]`");
    }
}
