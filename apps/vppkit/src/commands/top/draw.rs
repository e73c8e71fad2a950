//! A screen: a line of VPP, a line of views, a table, a line of keys.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::Widget;
use vpp_conn::Counters;

use super::source::{Row, Snapshot};
use super::view::{Unit, View};
use crate::cli::TopView;

/// Columns of a number, the gap in front of it included.
const NUMBER: u16 = 9;
/// Columns of a name, at least.
const NAME: u16 = 20;
/// Columns of a node's name in front of an error's.
const NODE: usize = 24;

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);
const ALARM: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);

const KEYS: &str = " q quit  1-4 Tab views  s S r sort  / filter  z zeros  p pause  ? help";
const HELP: [&str; 14] = [
    "1 2 3 4, Tab    interfaces, nodes, errors, this client",
    "Up Down j k     scroll; also PgUp PgDn Home End",
    "s S             sort by the next or the previous column",
    "r               the other way round",
    "/               show only names with a text; Enter keeps it, Esc ends it",
    "z               show also nodes that did nothing",
    "p, Space        pause",
    "q, Ctrl-C       quit",
    "",
    "pps, bps        packets and bits per second, between the last two looks",
    "error           received or sent with errors, missed, or without a buffer",
    "clocks          part of all that nodes spent between VPP's last two updates,",
    "                10 seconds apart; only where VPP's configuration has",
    "                statseg { per-node-counters on }",
];

/// A snapshot as the user wants to see it.
pub(super) struct Screen<'a> {
    pub(super) view: &'a View,
    pub(super) snapshot: &'a Snapshot,
}

impl Widget for Screen<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let mut canvas = Canvas { area, buffer };
        self.status(&mut canvas);
        self.views(&mut canvas);
        if self.view.is_helping {
            for (line, text) in (3..).zip(HELP) {
                canvas.put(2, line, text, PLAIN);
            }
        } else if self.view.shown() == TopView::Client {
            self.client(&mut canvas);
        } else {
            self.table(&mut canvas);
        }
        let last = area.height.saturating_sub(1);
        if self.view.is_writing() {
            let filter = format!(" /{}_", self.view.filter());
            canvas.put(0, last, &filter, BOLD);
        } else {
            canvas.put(0, last, KEYS, FAINT);
        }
    }
}

impl Screen<'_> {
    /// How VPP is.
    fn status(&self, canvas: &mut Canvas<'_>) {
        let snapshot = self.snapshot;
        if let Some(away) = &snapshot.away {
            let text = format!(
                " VPP away since {} UTC ({}): {}",
                time_of_day(away.since),
                time(away.time),
                away.why
            );
            canvas.put(0, 0, &text, ALARM);
            return;
        }
        let mut text = " VPP".to_owned();
        if let Some(version) = &snapshot.client.version {
            let _ = write!(text, " {version}");
        }
        if let Some(uptime) = snapshot.uptime {
            let _ = write!(text, "  up {}", time(uptime));
        }
        match snapshot.workers {
            Some(1) => text.push_str("  1 worker"),
            Some(workers) => {
                let _ = write!(text, "  {workers} workers");
            }
            None => {}
        }
        if let Some(rate) = snapshot.vector_rate {
            let _ = write!(text, "  vectors/call {rate}");
        }
        if let Some(rate) = snapshot.input_rate {
            let _ = write!(text, "  input {}/s", number(rate as f64, Unit::Plain));
        }
        canvas.put(0, 0, &text, BOLD);
    }

    /// The views, and what was chosen of this one.
    fn views(&self, canvas: &mut Canvas<'_>) {
        let mut x = 1;
        for (index, view) in TopView::ALL.into_iter().enumerate() {
            let title = format!(" {} {} ", index + 1, view.title());
            let style = if view == self.view.shown() { CHOSEN } else { PLAIN };
            x = canvas.put(x, 1, &title, style);
        }
        let mut text = String::new();
        if self.view.shown() != TopView::Client {
            let (first, rows) = self.view.window();
            if rows.len() < self.view.len() {
                let _ = write!(text, "{}-{} of {}", first + 1, first + rows.len(), self.view.len());
            }
            if !self.view.filter().is_empty() {
                let _ = write!(text, "  /{}", self.view.filter());
            }
        }
        if self.view.is_paused() {
            text.push_str("  paused");
        }
        canvas.put_right(1, text.trim_start(), BOLD, x + 1);
    }

    fn table(&self, canvas: &mut Canvas<'_>) {
        let (view, width) = (self.view.shown(), canvas.area.width);
        let room = usize::from(width.saturating_sub(NAME) / NUMBER);
        let columns = &view.columns()[..view.columns().len().min(room)];
        let name_width = width.saturating_sub(NUMBER * columns.len() as u16);
        let sort = self.view.sort();
        let mark = if sort.is_reversed { "\u{2191}" } else { "\u{2193}" };
        let title = |index: usize, title: &str| {
            let is_sorted = sort.column == Some(index);
            (format!("{}{title}", if is_sorted { mark } else { "" }), if is_sorted { BOLD } else { FAINT })
        };
        let (text, style) = title(0, if view == TopView::Errors { "node and reason" } else { "name" });
        canvas.put(1, 2, &text, style);
        for (index, column) in (1..).zip(columns) {
            let (text, style) = title(index, column.title);
            canvas.put_number(name_width + NUMBER * (index - 1) as u16, 2, &text, style);
        }
        let rows = view.of(self.snapshot);
        let (_, chosen) = self.view.window();
        let style = if self.snapshot.away.is_some() { FAINT } else { PLAIN };
        for (line, row) in (3..).zip(chosen.iter().filter_map(|index| rows.get(*index))) {
            canvas.put_name(line, row, name_width, style);
            for (index, (column, value)) in columns.iter().zip(row.numbers).enumerate() {
                let text = number(value, column.unit);
                let style = if value == 0.0 { FAINT } else { style };
                canvas.put_number(name_width + NUMBER * index as u16, line, &text, style);
            }
        }
        if chosen.is_empty() {
            canvas.put(1, 3, self.nothing(), FAINT);
        }
    }

    /// Why a table is empty.
    fn nothing(&self) -> &'static str {
        match self.view.shown() {
            _ if !self.view.filter().is_empty() => "no name contains the filter's text",
            TopView::Nodes if self.snapshot.nodes.as_slice().is_empty() => {
                "VPP does not count by node: statseg { per-node-counters on } makes it"
            }
            TopView::Nodes => {
                "no node did anything between VPP's last two updates, 10 seconds apart; z shows all"
            }
            TopView::Errors => "nothing was counted",
            _ => "nothing was read yet",
        }
    }

    /// How this program fares as a client.
    fn client(&self, canvas: &mut Canvas<'_>) {
        let client = &self.snapshot.client;
        let mut line = 3;
        let mut say = |name: &str, text: &str, style| {
            canvas.put(2, line, name, FAINT);
            canvas.put(16, line, text, style);
            line += 1;
        };
        say("socket", &client.path, PLAIN);
        if let Some(trouble) = &client.trouble {
            say("connection", trouble, ALARM);
            return;
        }
        let Some(counters) = &client.counters else { return };
        say("connection", &format!("number {}", client.generation), PLAIN);
        let Counters { sent, sent_bytes, received, received_bytes, .. } = counters;
        say("sent", &format!("{sent} messages, {sent_bytes} bytes"), PLAIN);
        say("received", &format!("{received} messages, {received_bytes} bytes"), PLAIN);
        let Counters { answered, failed, given_up, in_flight, late, .. } = counters;
        let calls =
            format!("{answered} answered, {failed} failed, {given_up} given up, {in_flight} in flight");
        say("calls", &format!("{calls}, {late} late"), PLAIN);
        let quantile = |part| counters.latency.quantile(part).map_or("-".to_owned(), below);
        let quantiles = format!("half {}, 99% {}", quantile(0.5), quantile(0.99));
        say("took", &quantiles, PLAIN);
        if let Some(last) = client.pings.last() {
            say("last ping", &format!("{last} us"), PLAIN);
        }
        self.latencies(canvas, line + 1, counters);
    }

    /// How long calls took: a bar for each class that any call fell into, the longest last.
    fn latencies(&self, canvas: &mut Canvas<'_>, top: u16, counters: &Counters) {
        let mut before = 0;
        let classes = counters.latency.below().map(|(time, below)| {
            let count = below - before;
            before = below;
            (time, count)
        });
        let classes: Vec<_> = classes.filter(|(_, count)| *count > 0).collect();
        let most = classes.iter().map(|(_, count)| *count).max().unwrap_or(1);
        let room = canvas.area.height.saturating_sub(top + 1);
        let skipped = classes.len().saturating_sub(usize::from(room));
        for (line, (time, count)) in (top..).zip(&classes[skipped..]) {
            canvas.put(2, line, &format!("{:>10}", below(*time)), FAINT);
            canvas.put(13, line, &format!("{count:>8}"), PLAIN);
            let width = u64::from(canvas.area.width.saturating_sub(24));
            // Whoever was there once is seen.
            let bar = (count.saturating_mul(width) / most).max(1);
            canvas.put(23, line, &"#".repeat(usize::try_from(bar).unwrap_or(1)), PLAIN);
        }
    }
}

/// Where it is drawn. What does not fit is cut off.
struct Canvas<'a> {
    area: Rect,
    buffer: &'a mut Buffer,
}

impl Canvas<'_> {
    /// Writes a text, and tells where it ends.
    fn put(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        if x >= self.area.width || y >= self.area.height {
            return x;
        }
        let room = usize::from(self.area.width - x);
        let (end, _) = self.buffer.set_stringn(self.area.x + x, self.area.y + y, text, room, style);
        end - self.area.x
    }

    /// Writes a text that ends at the edge, unless that is in front of `from`.
    fn put_right(&mut self, y: u16, text: &str, style: Style, from: u16) {
        let width = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
        self.put(self.area.width.saturating_sub(width.saturating_add(1)).max(from), y, text, style);
    }

    /// Writes a number or a title at the right of its column.
    fn put_number(&mut self, x: u16, y: u16, text: &str, style: Style) {
        let width = (text.chars().count() as u16).min(NUMBER - 1);
        self.put(x + NUMBER - width, y, text, style);
    }

    fn put_name(&mut self, y: u16, row: &Row, width: u16, style: Style) {
        if y >= self.area.height {
            return;
        }
        let mut put = |x: u16, text: &str, width: u16| {
            let width = usize::from(width.saturating_sub(x));
            self.buffer.set_stringn(self.area.x + x, self.area.y + y, text, width, style);
        };
        if row.detail.is_empty() {
            return put(1, &row.name, width);
        }
        // A long name moves the reason, and does not hide it.
        let node = row.name.chars().count().min(NODE * 2);
        put(1, &row.name, width);
        put((node.max(NODE) + 2) as u16, &row.detail, width);
    }
}

/// A number in at most eight letters.
pub(super) fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => return format!("{value:.1}%"),
        Unit::Ratio => return format!("{value:.2}"),
        Unit::Plain => {}
    }
    let mut value = value;
    for suffix in ["", "k", "M", "G", "T", "P"] {
        // What would be rounded up to the next step belongs there.
        if value < 999.95 {
            return match (suffix, value) {
                ("", value) if value.fract() == 0.0 || value >= 100.0 => format!("{value:.0}"),
                ("", value) => format!("{value:.1}"),
                (suffix, value) if value < 10.0 => format!("{value:.2}{suffix}"),
                (suffix, value) => format!("{value:.1}{suffix}"),
            };
        }
        value /= 1000.0;
    }
    format!("{value:.0}E")
}

/// A time in its two largest units.
pub(super) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// The bound of a class of times.
fn below(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..1000 => format!("<{micros} us"),
        1000..1_000_000 => format!("<{:.1} ms", micros as f64 / 1e3),
        _ => format!("<{:.1} s", micros as f64 / 1e6),
    }
}

/// Hours, minutes and seconds of a day.
fn time_of_day(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() % 86400;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
