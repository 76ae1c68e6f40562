//! Going back through the days of last activity, in steps of some days.

use crate::customer::day::{NEVER, active_on};
use crate::search::key::day::{FIRST_DAY, LAST_DAY};
use std::ops::RangeInclusive;

/// An assumption about the first step: most customers were active within this many days.
const USUAL_DAYS_OF_ACTIVITY: u64 = 365;

/// Index entries that can be scanned in the time of one heap fetch. The fetch reads a page that is
/// mostly not in PostgreSQL's buffers.
const ENTRIES_PER_HEAP_FETCH: usize = 1500;

pub struct DaysBack {
    /// The last day of the next step; None if there are no days left.
    pub next: Option<i32>,
    /// The number of days in the next step.
    width: i32,
    /// How many entries of days may still be scanned. Scanning more would take longer than reading
    /// all matching customers.
    pub entries_left: usize,
}

impl DaysBack {
    /// Begins with a day. `wanted` of about `many` customers are wanted.
    pub fn from(next: Option<i32>, wanted: usize, many: u64) -> DaysBack {
        let width = (USUAL_DAYS_OF_ACTIVITY * wanted as u64 / many.max(1)).clamp(1, USUAL_DAYS_OF_ACTIVITY);
        let entries_left = ENTRIES_PER_HEAP_FETCH.saturating_mul(many as usize);
        DaysBack { next, width: width as i32, entries_left }
    }

    /// The days of the next step, which ends with `last`, a day not after `next`.
    pub fn step(&self, last: i32) -> RangeInclusive<i32> {
        (last - self.width + 1).max(FIRST_DAY)..=last
    }

    /// A step is done and has found `found` customers. The next step is made long enough to find the
    /// `wanted` ones.
    pub fn go_on(&mut self, step: &RangeInclusive<i32>, wanted: usize, found: usize) {
        self.next = day_before(*step.start());
        let factor = (wanted / found.max(1)).clamp(1, 8) as i32;
        self.width = self.width.saturating_mul(factor).min(LAST_DAY);
    }

    /// The step would find about `many` customers, which is too many. It is tried again with fewer
    /// days.
    pub fn narrow(&mut self, wanted: usize, many: u64) {
        let share = i64::from(self.width) * wanted as i64 / many.max(1) as i64;
        self.width = (share as i32).clamp(1, (self.width / 2).max(1));
    }
}

/// The day of an activity, as the index has days; None if there was no activity.
pub fn day_of(last_activity: i64) -> Option<i32> {
    let day = active_on(Some(last_activity));
    (day != NEVER).then_some(day.clamp(FIRST_DAY, LAST_DAY))
}

/// The day before, if there is one.
pub fn day_before(day: i32) -> Option<i32> {
    Some(day - 1).filter(|day| *day >= FIRST_DAY)
}

#[cfg(test)]
mod unit_tests {
    use super::*;
    use crate::pg::MICROSECONDS_OF_A_DAY;

    #[test]
    fn no_day_is_left_out() {
        for (last, width, found) in [(LAST_DAY, 1, 0), (9821, 50, 7), (3, 365, 1), (FIRST_DAY, 1, 1), (9821, 1, 1000)] {
            let mut days = DaysBack { next: Some(last), width, entries_left: 0 };
            let mut seen = Vec::new();
            while let Some(last) = days.next {
                if days.width > 3 && seen.len() % 2 == 0 {
                    days.narrow(40, 1000);
                    assert!((1..365).contains(&days.width));
                }
                let step = days.step(last);
                days.go_on(&step, 40, found);
                seen.extend(step.rev());
            }
            assert!(seen.iter().copied().eq((FIRST_DAY..=last).rev()), "{last} {width} {found}");
        }
    }

    #[test]
    fn days_of_activity() {
        assert_eq!(day_of(i64::MIN), None);
        assert_eq!(day_of(-1), Some(0));
        assert_eq!(day_of(0), Some(0));
        assert_eq!(day_of(MICROSECONDS_OF_A_DAY * 9821 - 1), Some(9820));
        assert_eq!(day_of(i64::MAX), Some(LAST_DAY));
    }
}
