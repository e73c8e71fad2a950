//! What the program prints: results on standard output, notes and errors on standard error.

mod cells;
mod record;
mod screen;
mod table;

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

pub(crate) use record::write_record;
pub(crate) use table::Table;

/// Names of columns and fields.
const NAME: Style = Style::new().bold();
/// What is only said for completeness.
const FAINT: Style = Style::new().dimmed();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default();

/// How results are to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Tables and records for people.
    Text,
    /// JSON for programs.
    Json,
}

/// Where results go: standard output, locked for as long as this lives.
pub(crate) struct Output {
    writer: io::BufWriter<AutoStream<io::StdoutLock<'static>>>,
    /// How results are to be shown.
    pub(crate) format: Format,
    /// Columns of the terminal; `None` when standard output is no terminal and lines may have any length.
    pub(crate) width: Option<usize>,
}

impl Output {
    /// Standard output, with colours as [`set_color`] and the environment have it.
    pub(crate) fn stdout(format: Format) -> Self {
        let stdout = io::stdout();
        let width = stdout.is_terminal().then(|| {
            terminal_size::terminal_size().map_or(80, |(terminal_size::Width(width), _)| usize::from(width))
        });
        Self { writer: io::BufWriter::new(AutoStream::auto(stdout.lock())), format, width }
    }

    /// Shows a text in the place of the last, on a terminal of now's size.
    pub(crate) fn screenful(&mut self, text: &str) -> io::Result<()> {
        let (width, height) = terminal_size::terminal_size()
            .map_or((80, 24), |(width, height)| (usize::from(width.0), usize::from(height.0)));
        self.writer.write_all(screen::screenful(text, width, height).as_bytes())
    }

    /// One line of JSON.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.writer, value)?;
        self.writer.write_all(b"\n")
    }

    /// JSON over several lines.
    pub(crate) fn json_pretty(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.writer, value)?;
        self.writer.write_all(b"\n")
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Sets when output is coloured, for the whole program.
pub(crate) fn set_color(choice: clap::ColorChoice) {
    match choice {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Says on standard error what a user should know and a program need not.
pub(crate) fn note(text: impl std::fmt::Display) {
    // Standard error may be closed; there is nobody left to tell.
    let _ = writeln!(anstream::stderr(), "{NOTE}note:{NOTE:#} {text}");
}

/// Says on standard error why the program failed.
pub(crate) fn error(text: impl std::fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{ERROR}error:{ERROR:#} {text}");
}
