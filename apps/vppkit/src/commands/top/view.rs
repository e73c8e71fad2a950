//! What the user chose to see.

use std::cmp::Ordering;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::source::{Row, Rows, Snapshot};
use crate::cli::TopView;

/// How a number is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// With k, M, G.
    Plain,
    Percent,
    /// With a decimal.
    Ratio,
}

/// A column of numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    pub(super) unit: Unit,
}

const fn column(title: &'static str, unit: Unit) -> Column {
    Column { title, unit }
}

/// Lines of the client's view.
const CLIENT_LINES: usize = 18;

/// Those that come first are shown where there is not room for all.
const INTERFACES: [Column; 10] = [
    column("rx pps", Unit::Plain),
    column("rx bps", Unit::Plain),
    column("tx pps", Unit::Plain),
    column("tx bps", Unit::Plain),
    column("drop/s", Unit::Plain),
    column("error/s", Unit::Plain),
    column("rx pkts", Unit::Plain),
    column("tx pkts", Unit::Plain),
    column("drops", Unit::Plain),
    column("errors", Unit::Plain),
];
const NODES: [Column; 6] = [
    column("clocks", Unit::Percent),
    column("vec/s", Unit::Plain),
    column("calls/s", Unit::Plain),
    column("v/call", Unit::Ratio),
    column("clk/vec", Unit::Plain),
    column("susp/s", Unit::Plain),
];
const ERRORS: [Column; 2] = [column("per s", Unit::Plain), column("total", Unit::Plain)];

impl TopView {
    pub(super) const ALL: [Self; 4] = [Self::Interfaces, Self::Nodes, Self::Errors, Self::Client];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Interfaces => "Interfaces",
            Self::Nodes => "Nodes",
            Self::Errors => "Errors",
            Self::Client => "Client",
        }
    }

    pub(super) fn columns(self) -> &'static [Column] {
        match self {
            Self::Interfaces => &INTERFACES,
            Self::Nodes => &NODES,
            Self::Errors => &ERRORS,
            Self::Client => &[],
        }
    }

    pub(super) fn of(self, snapshot: &Snapshot) -> &[Row] {
        match self {
            Self::Interfaces => snapshot.interfaces.as_slice(),
            Self::Nodes => snapshot.nodes.as_slice(),
            Self::Errors => snapshot.errors.as_slice(),
            Self::Client => Rows::NONE,
        }
    }

    fn number(self) -> usize {
        self as usize
    }

    fn step(self, by: usize) -> Self {
        Self::ALL[(self.number() + by) % Self::ALL.len()]
    }
}

impl Rows {
    const NONE: &'static [Row] = &[];
}

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sort {
    /// Column 0 is the name, the others are those of the table. `None`: as VPP has them.
    pub(super) column: Option<usize>,
    /// Smallest number or last name first.
    pub(super) is_reversed: bool,
}

/// What comes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Draw,
    Quit,
}

/// What the user chose to see.
#[derive(Debug)]
pub(super) struct View {
    view: TopView,
    sorts: [Sort; TopView::ALL.len()],
    filter: String,
    /// The filter is being written.
    is_writing: bool,
    is_paused: bool,
    /// Show also what did nothing.
    with_zeros: bool,
    pub(super) is_helping: bool,
    /// Rows above the first that is shown.
    offset: usize,
    /// Rows that are shown at once.
    page: usize,
    /// Rows of the snapshot that are chosen, in the order they are shown in. Kept for its memory.
    order: Vec<usize>,
}

impl View {
    pub(super) fn new(view: TopView, filter: Option<&str>) -> Self {
        let by = |column| Sort { column, is_reversed: false };
        Self {
            view,
            sorts: [by(None), by(Some(1)), by(Some(1)), by(None)],
            filter: filter.unwrap_or_default().to_owned(),
            is_writing: false,
            is_paused: false,
            with_zeros: false,
            is_helping: false,
            offset: 0,
            page: 1,
            order: Vec::new(),
        }
    }

    pub(super) fn shown(&self) -> TopView {
        self.view
    }

    pub(super) fn sort(&self) -> Sort {
        self.sorts[self.view.number()]
    }

    pub(super) fn filter(&self) -> &str {
        &self.filter
    }

    pub(super) fn is_writing(&self) -> bool {
        self.is_writing
    }

    pub(super) fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// How many rows there are room for, and which of all they are.
    pub(super) fn window(&self) -> (usize, &[usize]) {
        let end = (self.offset + self.page).min(self.order.len());
        (self.offset, &self.order[self.offset.min(end)..end])
    }

    /// How many rows are chosen.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// How many lines it takes to show all of a snapshot.
    pub(super) fn rows(&mut self, snapshot: &Snapshot) -> usize {
        self.prepare(snapshot, 1);
        match self.view {
            TopView::Client => CLIENT_LINES,
            _ => self.order.len().max(1),
        }
    }

    /// Chooses and sorts the rows, for so many lines.
    pub(super) fn prepare(&mut self, snapshot: &Snapshot, lines: u16) {
        let rows = self.view.of(snapshot);
        // Errors that never happened are not even in the snapshot, and an idle interface is an interface.
        let hides_idle = self.view == TopView::Nodes && !self.with_zeros;
        let is_chosen = |row: &Row| {
            let is_idle = row.numbers.iter().all(|number| *number == 0.0);
            let fits = contains(&row.name, &self.filter) || contains(&row.detail, &self.filter);
            fits && !(hides_idle && is_idle)
        };
        self.order.clear();
        self.order.extend((0..rows.len()).filter(|index| is_chosen(&rows[*index])));
        let Sort { column, is_reversed } = self.sort();
        if let Some(column) = column {
            let by_name = |a: &Row, b: &Row| (&a.name, &a.detail).cmp(&(&b.name, &b.detail));
            self.order.sort_unstable_by(|a, b| {
                let (a, b) = (&rows[*a], &rows[*b]);
                let order = match column.checked_sub(1) {
                    Some(column) => b.numbers[column].total_cmp(&a.numbers[column]),
                    None => by_name(a, b),
                };
                let order = if is_reversed { order.reverse() } else { order };
                if order == Ordering::Equal { by_name(a, b) } else { order }
            });
        } else if is_reversed {
            self.order.reverse();
        }
        self.page = usize::from(lines.max(1));
        self.offset = self.offset.min(self.order.len().saturating_sub(self.page));
    }

    /// Does what a key means.
    pub(super) fn key(&mut self, key: KeyEvent) -> Outcome {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Outcome::Quit } else { Outcome::Draw };
        }
        if self.is_writing {
            self.write(key.code);
            return Outcome::Draw;
        }
        if std::mem::take(&mut self.is_helping) {
            return if key.code == KeyCode::Char('q') { Outcome::Quit } else { Outcome::Draw };
        }
        match key.code {
            KeyCode::Char('q') => return Outcome::Quit,
            KeyCode::Char(number @ '1'..='4') => {
                self.show(TopView::ALL[number as usize - '1' as usize]);
            }
            KeyCode::Tab | KeyCode::Right => self.show(self.view.step(1)),
            KeyCode::BackTab | KeyCode::Left => self.show(self.view.step(TopView::ALL.len() - 1)),
            KeyCode::Char('s') => self.sort_by(1),
            KeyCode::Char('S') => self.sort_by(self.view.columns().len()),
            KeyCode::Char('r') => {
                let sort = &mut self.sorts[self.view.number()];
                sort.is_reversed = !sort.is_reversed;
            }
            KeyCode::Char('/') => self.is_writing = self.view != TopView::Client,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Char('z') => self.with_zeros = !self.with_zeros,
            KeyCode::Char('p' | ' ') => self.is_paused = !self.is_paused,
            KeyCode::Char('?' | 'h') => self.is_helping = true,
            KeyCode::Down | KeyCode::Char('j') => self.offset += 1,
            KeyCode::Up | KeyCode::Char('k') => self.offset = self.offset.saturating_sub(1),
            KeyCode::PageDown => self.offset += self.page,
            KeyCode::PageUp => self.offset = self.offset.saturating_sub(self.page),
            KeyCode::Home | KeyCode::Char('g') => self.offset = 0,
            // What is beyond the end is taken back when it is drawn.
            KeyCode::End | KeyCode::Char('G') => self.offset = self.order.len(),
            _ => {}
        }
        Outcome::Draw
    }

    fn write(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter => self.is_writing = false,
            KeyCode::Esc => {
                self.filter.clear();
                self.is_writing = false;
            }
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char(letter) => self.filter.push(letter),
            _ => {}
        }
    }

    fn show(&mut self, view: TopView) {
        self.view = view;
        self.offset = 0;
    }

    /// Goes to another column: the name, then the numbers, and round.
    fn sort_by(&mut self, step: usize) {
        let columns = self.view.columns().len() + 1;
        let sort = &mut self.sorts[self.view.number()];
        *sort = Sort {
            column: Some(sort.column.map_or(step.min(1), |column| (column + step) % columns)),
            is_reversed: false,
        };
    }
}

/// Whether a text contains another, in any case of its letters.
fn contains(text: &str, part: &str) -> bool {
    part.is_empty()
        || text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}
