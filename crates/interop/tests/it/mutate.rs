//! Random changes to a text, the same for the same seed.

/// A random sequence (SplitMix64), good enough to choose where to break something.
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }
}

/// Pieces that a reader of STIX may stumble on.
const PIECES: &[&str] = &[
    "{}",
    "[]",
    "null",
    "\"\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "1e999",
    "-0",
    "99999999999999999999",
    "0.1",
    "true",
    "\"type\":",
    "\"id\":",
    "\"modified\":",
    "\"spec_version\":\"2.1\"",
    "\"marking-definition\"",
    "\"granular_markings\":[{}],",
    "\"object_marking_refs\":[],",
    "\"2016-12-31T23:59:60Z\"",
    "\"9999-99-99T99:99:99Z\"",
    "\"selectors\":[\"a.[0].b\"]",
    "\"extensions\":{},",
    "\"hashes\":{\"MD5\":null},",
    "\u{202e}",
    "\u{0}",
];

/// Changes `bytes` in up to `changes` places.
pub fn mutate(bytes: &mut Vec<u8>, changes: usize, random: &mut Random) {
    for _ in 0..=random.below(changes) {
        let at = random.below(bytes.len() + 1);
        match random.below(7) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            1 => {
                let end = (at + random.below(40)).min(bytes.len());
                bytes.drain(at.min(end)..end);
            }
            2 => {
                let piece = PIECES.get(random.below(PIECES.len())).copied().unwrap_or_default();
                bytes.splice(at..at, piece.bytes());
            }
            3 => {
                let from = random.below(bytes.len());
                let end = (from + random.below(400)).min(bytes.len());
                let copy: Vec<u8> = bytes.get(from..end).unwrap_or_default().to_vec();
                bytes.splice(at..at, copy);
            }
            4 => replace_text(bytes, at, random),
            5 => {
                if let Some(byte) = bytes.get_mut(at).filter(|byte| byte.is_ascii_alphanumeric()) {
                    let letters = b"0123456789abcdefghijklmnopqrstuvwxyzAZ";
                    *byte = letters.get(random.below(letters.len())).copied().unwrap_or(b'0');
                }
            }
            _ => {
                let other = random.below(bytes.len());
                if at < bytes.len() && other < bytes.len() {
                    bytes.swap(at, other);
                }
            }
        }
    }
}

/// Puts a piece in the place of the next text or number, so that the whole often stays JSON.
fn replace_text(bytes: &mut Vec<u8>, at: usize, random: &mut Random) {
    let quote = |from: usize| bytes.iter().skip(from).position(|b| *b == b'"').map(|n| n + from);
    let Some(start) = quote(at) else { return };
    let Some(end) = quote(start + 1) else { return };
    let piece = ["null", "7", "[]", "{}", "\"x\"", "\"\"", "-1.5", "[[{\"a\":1}]]"];
    let piece = piece.get(random.below(piece.len())).copied().unwrap_or_default();
    bytes.splice(start..=end, piece.bytes());
}
