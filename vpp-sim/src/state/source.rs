//! Who a route comes from.

/// A source of routes: VPP's number of it, as in `ip_route_v2.src`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source(pub(crate) u8);

/// Priority of each source of VPP 26.06 by its number, as `show fib source` prints it (both parts in one number). The
/// lowest wins.
const PRIORITIES: [u16; 27] = [
    2550, 0, 10, 20, 30, 160, 320, 480, 1280, 1290, 1440, 1600, 1760, 1920, 1930, 2080, 2240, 2400, 2510,
    2520, 2530, 2540, 161, 21, 162, 2081, 163,
];

impl Source {
    pub(crate) const SPECIAL: Self = Self(1);
    pub(crate) const INTERFACE: Self = Self(4);
    pub(crate) const API: Self = Self(8);
    pub(crate) const DEFAULT_ROUTE: Self = Self(20);

    /// The lowest wins. Sources that do not exist come last.
    pub(crate) fn priority(self) -> u16 {
        PRIORITIES.get(usize::from(self.0)).copied().unwrap_or(u16::MAX)
    }
}
