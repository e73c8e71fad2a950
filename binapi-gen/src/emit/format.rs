//! Tokens to text that reads as if written by hand.

use proc_macro2::TokenStream;

use crate::error::GenerateError;

/// The widest line of what is written here by hand; the rest is prettyplease's.
const WIDTH: usize = 100;

/// Formats one item.
pub(super) fn item(module: &str, tokens: TokenStream) -> Result<String, GenerateError> {
    let item = syn::parse2::<syn::Item>(tokens)
        .map_err(|source| GenerateError::Syntax { module: module.to_owned(), source })?;
    let text = prettyplease::unparse(&syn::File {
        shebang: None,
        frontmatter: None,
        attrs: Vec::new(),
        items: vec![item],
    });
    Ok(blank_lines(&text))
}

/// Puts a blank line between the functions of an `impl`, which prettyplease leaves out.
fn blank_lines(text: &str) -> String {
    if !text.contains("    fn ") && !text.contains("    pub ") {
        return text.to_owned();
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut spaced = String::with_capacity(text.len() + 64);
    for (at, line) in lines.iter().enumerate() {
        if at > 0 && starts_member(line) && ends_member(lines[at - 1]) {
            let both_short = is_short(lines[at - 1])
                && lines[at..].iter().find(|line| !is_prelude(line)).is_some_and(|line| is_short(line));
            if !both_short {
                spaced.push('\n');
            }
        }
        spaced.push_str(line);
        spaced.push('\n');
    }
    spaced
}

fn member(line: &str) -> Option<&str> {
    line.strip_prefix("    ").filter(|rest| !rest.starts_with(' '))
}

fn is_prelude(line: &str) -> bool {
    member(line).is_some_and(|rest| rest.starts_with("///") || rest.starts_with("#["))
}

fn starts_member(line: &str) -> bool {
    member(line).is_some_and(|rest| {
        ["///", "#[", "pub fn", "pub const", "fn ", "const ", "type "]
            .iter()
            .any(|start| rest.starts_with(start))
    })
}

/// Whether the line ends a function or constant. Fields end with a comma.
fn ends_member(line: &str) -> bool {
    member(line).is_some_and(|rest| rest.ends_with('}') || rest.ends_with(';')) && !is_prelude(line)
}

/// Whether the line is a whole constant or associated type.
fn is_short(line: &str) -> bool {
    member(line).is_some_and(|rest| {
        rest.ends_with(';') && ["pub const ", "const ", "type "].iter().any(|start| rest.starts_with(start))
    })
}

/// `use from::{names};`, wrapped.
pub(crate) fn use_line<'n>(keyword: &str, from: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    if let [only] = &names[..] {
        return format!("{keyword} {from}::{only};\n");
    }
    let line = format!("{keyword} {from}::{{{}}};", names.join(", "));
    if line.len() <= WIDTH {
        return line + "\n";
    }
    let wrapped = fill(names.iter().map(|name| format!("{name},")), "    ", WIDTH);
    format!("{keyword} {from}::{{\n{wrapped}\n}};\n")
}

/// Words in lines of a width, each behind an indent.
pub(crate) fn fill(words: impl Iterator<Item = String>, indent: &str, width: usize) -> String {
    let mut text = String::from(indent);
    let mut column = indent.len();
    for (at, word) in words.enumerate() {
        if at > 0 && column + 1 + word.len() > width {
            text.push('\n');
            text.push_str(indent);
            column = indent.len();
        } else if at > 0 {
            text.push(' ');
            column += 1;
        }
        column += word.len();
        text.push_str(&word);
    }
    text
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn functions_are_apart_and_constants_together() {
        let text = item(
            "m",
            quote! {
                impl A {
                    /// One.
                    pub const ONE: Self = Self(1);
                    /// Two.
                    pub const TWO: Self = Self(2);
                    /// Adds.
                    pub fn add(self) -> u32 { self.0 }
                    fn take(self) {}
                }
            },
        )
        .unwrap();
        assert_eq!(
            text,
            "impl A {\n    /// One.\n    pub const ONE: Self = Self(1);\n    /// Two.\n    pub const TWO: Self = Self(2);\n\n    /// Adds.\n    pub fn add(self) -> u32 {\n        self.0\n    }\n\n    fn take(self) {}\n}\n"
        );
    }

    #[test]
    fn long_use_lines_are_wrapped() {
        assert_eq!(use_line("use", "a", ["B"].into_iter()), "use a::B;\n");
        let names: Vec<String> = (0..20).map(|n| format!("Name{n:03}")).collect();
        let text = use_line("pub use", "a", names.iter().map(String::as_str));
        assert!(text.lines().all(|line| line.len() <= WIDTH) && text.lines().count() == 4, "{text}");
    }
}
