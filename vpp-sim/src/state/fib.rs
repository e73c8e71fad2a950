//! IP tables and their routes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use vpp_wire::ApiError;

use super::path::{self, Path, PathKind};
use super::pool::Pool;
use super::prefix::{Family, Prefix};
use super::source::Source;

/// All IP tables.
#[derive(Debug)]
pub(crate) struct Fib {
    tables: [Pool<Table>; 2],
    /// Numbers of routes in the stats segment.
    stats_indexes: Pool<()>,
}

/// An IP table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) id: u32,
    pub(crate) family: Family,
    pub(crate) name: String,
    /// Whether a client wants it. VPP counts such wishes as one. Otherwise it stays while an interface is bound to it.
    pub(crate) is_wanted: bool,
    /// By network.
    routes: BTreeMap<Prefix, Route>,
}

/// A route, with its paths by source, the best source first. At least one.
#[derive(Debug)]
pub(crate) struct Route {
    /// As it was first written: VPP keeps the bits behind the length, though they do not count.
    pub(crate) prefix: Prefix,
    pub(crate) stats_index: u32,
    sources: Vec<(Source, Vec<Path>)>,
}

impl Route {
    /// The source whose paths count.
    pub(crate) fn source(&self) -> Source {
        self.sources.first().map_or(Source(0), |(source, _)| *source)
    }

    /// The paths that count.
    pub(crate) fn paths(&self) -> &[Path] {
        self.sources.first().map_or(&[], |(_, paths)| paths)
    }

    fn of(&mut self, source: Source) -> Option<&mut Vec<Path>> {
        self.sources.iter_mut().find(|(known, _)| *known == source).map(|(_, paths)| paths)
    }
}

impl Table {
    /// In VPP's order for IPv4: by length.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.values()
    }

    /// The route of exactly this prefix.
    pub(crate) fn exact(&self, prefix: Prefix) -> Option<&Route> {
        self.routes.get(&prefix.network())
    }

    /// The longest route that covers the prefix.
    pub(crate) fn lookup(&self, prefix: Prefix) -> Option<&Route> {
        let longest = prefix.len.min(prefix.family().bits());
        (0..=longest).rev().find_map(|len| self.exact(Prefix::new(prefix.address, len)))
    }
}

impl Fib {
    /// The tables that VPP starts with.
    pub(crate) fn new() -> Self {
        let mut fib = Self { tables: [Pool::default(), Pool::default()], stats_indexes: Pool::default() };
        // Number 0 is never a route's.
        fib.stats_indexes.insert(());
        fib.create(Family::V4, 0, "");
        fib.create(Family::V6, 0, "");
        fib
    }

    /// The tables of a family in the order of their internal numbers.
    pub(crate) fn tables(&self, family: Family) -> impl Iterator<Item = (u32, &Table)> {
        self.tables[usize::from(family.is_ip6())].iter()
    }

    pub(crate) fn table(&self, family: Family, id: u32) -> Option<&Table> {
        self.tables(family).map(|(_, table)| table).find(|table| table.id == id)
    }

    /// Makes a table if it is not there, and keeps it until [`Fib::forget`]. A table that exists keeps its name.
    pub(crate) fn want(&mut self, family: Family, id: u32, name: &str) {
        if self.table(family, id).is_none() {
            self.create(family, id, name);
        }
        if let Some(table) = self.table_mut(family, id) {
            table.is_wanted = true;
        }
    }

    /// Ends what [`Fib::want`] began.
    pub(crate) fn forget(&mut self, family: Family, id: u32) {
        if let Some(table) = self.table_mut(family, id) {
            table.is_wanted = false;
        }
    }

    /// Removes a table with its routes.
    pub(super) fn remove(&mut self, family: Family, index: u32) {
        if let Some(table) = self.tables[usize::from(family.is_ip6())].remove(index) {
            for route in table.routes.into_values() {
                self.stats_indexes.remove(route.stats_index);
            }
        }
    }

    fn create(&mut self, family: Family, id: u32, name: &str) {
        let name = match (name, family) {
            ("", Family::V4) => format!("ipv4-VRF:{id}"),
            ("", Family::V6) => format!("ipv6-VRF:{id}"),
            (name, _) => name.to_owned(),
        };
        let table = Table { id, family, name, is_wanted: false, routes: BTreeMap::new() };
        self.tables[usize::from(family.is_ip6())].insert(table);

        let drop = || vec![Path::special(family, PathKind::Drop)];
        let own: &[(&str, Source)] = match family {
            Family::V4 => &[
                ("0.0.0.0/0", Source::DEFAULT_ROUTE),
                ("0.0.0.0/32", Source::DEFAULT_ROUTE),
                ("240.0.0.0/4", Source::SPECIAL),
                ("224.0.0.0/4", Source::SPECIAL),
                ("255.255.255.255/32", Source::DEFAULT_ROUTE),
            ],
            Family::V6 => &[("::/0", Source::DEFAULT_ROUTE)],
        };
        for (prefix, source) in own {
            if let Ok(prefix) = prefix.parse() {
                self.set_paths(id, prefix, *source, drop());
            }
        }
        if family == Family::V6 {
            let to_link_local = Path { kind: PathKind::Normal, ..Path::special(family, PathKind::Drop) };
            let prefix = Prefix::new(IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 0]), 10);
            self.set_paths(id, prefix, Source::SPECIAL, vec![to_link_local]);
        }
    }

    fn table_mut(&mut self, family: Family, id: u32) -> Option<&mut Table> {
        let index = self.tables(family).find(|(_, table)| table.id == id)?.0;
        self.tables[usize::from(family.is_ip6())].get_mut(index)
    }

    /// Replaces the paths that a source has for a prefix. Nothing happens without the table.
    pub(crate) fn set_paths(&mut self, table: u32, prefix: Prefix, source: Source, mut paths: Vec<Path>) {
        path::sort(&mut paths);
        self.edit(table, prefix, source, |known| *known = paths);
    }

    /// Adds paths to those that a source has for a prefix. Paths that are there stay as they are.
    pub(crate) fn add_paths(&mut self, table: u32, prefix: Prefix, source: Source, paths: Vec<Path>) {
        self.edit(table, prefix, source, |known| {
            for path in paths {
                if !known.iter().any(|known| known.is_same(&path)) {
                    known.push(path);
                }
            }
            path::sort(known);
        });
    }

    /// Removes some of the paths that a source has for a prefix; with the last one, all that it has there.
    pub(crate) fn remove_paths(&mut self, table: u32, prefix: Prefix, source: Source, paths: &[Path]) {
        let route = self.route_mut(table, prefix).and_then(|route| route.of(source));
        let Some(known) = route else { return };
        known.retain(|known| !paths.iter().any(|path| path.is_same(known)));
        if known.is_empty() {
            self.delete_paths(table, prefix, source);
        }
    }

    /// Removes what a source has for a prefix. Nothing happens when it has nothing.
    pub(crate) fn delete_paths(&mut self, table: u32, prefix: Prefix, source: Source) {
        let prefix = prefix.network();
        let Some(route) = self.route_mut(table, prefix) else { return };
        route.sources.retain(|(known, _)| *known != source);
        if route.sources.is_empty() {
            let stats_index = route.stats_index;
            if let Some(table) = self.table_mut(prefix.family(), table) {
                table.routes.remove(&prefix);
            }
            self.stats_indexes.remove(stats_index);
        }
    }

    /// Removes all that a source has in a table.
    pub(crate) fn flush(&mut self, family: Family, id: u32, source: Source) -> Result<(), ApiError> {
        let table = self.table(family, id).ok_or(ApiError::NO_SUCH_FIB)?;
        for prefix in table.routes.keys().copied().collect::<Vec<_>>() {
            self.delete_paths(id, prefix, source);
        }
        Ok(())
    }

    fn route_mut(&mut self, table: u32, prefix: Prefix) -> Option<&mut Route> {
        self.table_mut(prefix.family(), table)?.routes.get_mut(&prefix.network())
    }

    fn edit(&mut self, id: u32, prefix: Prefix, source: Source, change: impl FnOnce(&mut Vec<Path>)) {
        if self.table(prefix.family(), id).is_none() {
            return;
        }
        if self.route_mut(id, prefix).is_none() {
            let stats_index = self.stats_indexes.insert(());
            if let Some(table) = self.table_mut(prefix.family(), id) {
                table.routes.insert(prefix.network(), Route { prefix, stats_index, sources: Vec::new() });
            }
        }
        let Some(route) = self.route_mut(id, prefix) else { return };
        if route.of(source).is_none() {
            route.sources.push((source, Vec::new()));
            route.sources.sort_by_key(|(source, _)| source.priority());
        }
        if let Some(paths) = route.of(source) {
            change(paths);
        }
    }
}
