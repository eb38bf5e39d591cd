/// What a seed must have met.
const EXPECTED: &[(u64, &[&str])] = &[];
