//! Random choices of a program.

use crate::generator::splitmix64;

pub struct Random(u64);

impl Random {
    /// The numbers of one program: told by the seed and the program's own number, so that each can be made alone.
    pub fn of(seed: u64, program: u64) -> Random {
        let (seed, program) = (Random(seed).next(), Random(!program).next());
        Random(seed ^ program.rotate_left(17))
    }

    pub fn next(&mut self) -> u64 {
        splitmix64(&mut self.0)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// One of them, each as likely as its weight says.
    pub fn weighted<'a, T>(&mut self, from: &'a [(usize, T)]) -> &'a T {
        let mut left = self.below(from.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in from {
            if left < *weight {
                return choice;
            }
            left -= weight;
        }
        &from[from.len() - 1].1
    }
}
