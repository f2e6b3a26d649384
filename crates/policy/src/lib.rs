//! PURE: labels, dominance, agreements, readable sets.
